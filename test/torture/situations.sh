#!/usr/bin/env bash
# Situations of the released programs that go wrong, on Linux: too few descriptors, files that are
# limited or full, outputs that nobody reads, processes that are stopped, connections that are
# reset. A load whose every byte is compared runs beside each, and has to be right.
#   test/torture/situations.sh BUILD [SITUATION]
# shellcheck disable=SC2317 # situations are called by their names
set -u

build=$(cd "$1" && pwd)
context="$0 $1"
# shellcheck source=test/torture/programs.sh
. test/torture/programs.sh
situations=0 # so far
kinds=(full closed gone unread)

# begin SITUATION: what is reported from here on belongs to it.
begin() {
    situations=$((situations + 1))
    name=$1
}

wrong() {
    problem "$name: $1"
}

# begin_server OPTION...: after the command in `prepare`.
begin_server() {
    ("${prepare[@]}" && exec "$server" --port 0 --bind 127.0.0.1 "$@") \
        </dev/null >"$dir/out" 2>"$log" &
    pid=$!
    exec {out}<"$dir/out"
    read_address
}

end_server() {
    kill -INT "$pid"
    finish "$pid"
    ((status == 0)) || wrong "the server ends with status $status: $(<"$log")"
}

# begin_load OPTION...: a load beside something else.
begin_load() {
    timeout "$patience" "$client" --load "$@" "$address" </dev/null >"$dir/load" 2>&1 &
    load=$!
}

end_load() {
    wait "$load" || wrong "the load is not right: $(<"$dir/load")"
}

run_load() {
    begin_load "$@"
    end_load
}

# state PID: as proc(5) has it; nothing when there is no such process.
state() {
    sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null
}

has_ended() {
    [[ $(state "$1") != [^Z] ]]
}

is_stopped() {
    [[ $(state "$1") == [TZ] ]] || has_ended "$1"
}

# Sends SIGSTOP and SIGCONT to a process, again and again while the load runs.
stop_and_continue() {
    until has_ended "$load"; do
        kill -STOP "$1" 2>/dev/null
        await is_stopped "$1" || wrong 'SIGSTOP does not stop it'
        kill -CONT "$1" 2>/dev/null
    done
}

descriptors() {
    local clients=() i holder
    begin 'at most 16 descriptors, 100 clients'
    prepare=(ulimit -n 16)
    begin_server
    "$client" --load --idle 99 --rate 10 --duration 60 "$address" >"$dir/holder" 2>&1 </dev/null &
    holder=$!
    await in_log 'Cannot accept' || wrong 'the server does not run out of descriptors'
    begin_load --count 100
    kill -INT "$holder"
    wait "$holder"
    end_load
    for ((i = 0; i < 100; i++)); do
        "$client" --load --count 3 "$address" </dev/null >"$dir/client" 2>&1 &
        clients+=($!)
    done
    for i in "${clients[@]}"; do
        wait "$i" || wrong "one of the clients is not served: $(<"$dir/client")"
    done
    end_server
    check_log "$log"
}

file_size() {
    begin 'a log that may have 8 KiB'
    prepare=(ulimit -f 8)
    begin_server --mode line
    run_load --expect line --count 2000
    end_server
    [ -s "$log" ] || wrong 'the log is empty'
    # Where the file ends, the last line may do so, too.
    sed '$d' "$log" >"$dir/whole"
    check_log "$dir/whole"
}

full_disk() {
    begin 'a disk that is full, and has room again'
    mkdir -p "$dir/disk"
    if ! mount -t tmpfs -o size=256k none "$dir/disk" 2>/dev/null; then
        situations=$((situations - 1))
        echo "left out: $name, since nothing can be mounted here"
        return
    fi
    head -c 240K /dev/zero >"$dir/disk/filler"
    log=$dir/disk/log
    begin_server --mode line
    run_load --expect line --count 3000
    rm "$dir/disk/filler"
    await in_log ' dropped: ' || wrong 'the log does not say that lines are lost'
    run_load --expect line --count 10
    end_server
    check_log "$log"
    grep -q ',Stopped: ' "$log" || wrong 'the last line of the log is missing'
    log=$dir/log
    umount "$dir/disk"
}

# redirect DESCRIPTOR KIND: to what takes nothing; only in a subshell.
redirect() {
    local pipe=$dir/pipe$1
    case $2 in
    full) eval "exec $1>/dev/full" ;;
    closed) eval "exec $1>&-" ;;
    gone | unread)
        exec {reader}<>"$pipe"
        eval "exec $1>\"\$pipe\""
        if [ "$2" = gone ]; then
            exec {reader}<&-
        else
            dd if=/dev/zero of="$pipe" oflag=nonblock bs=4096 2>/dev/null
        fi
        ;;
    esac
}

# redirected OUTPUT ERROR COMMAND...: becomes a program whose stdout and stderr are of these kinds,
# or files; only in the background.
redirected() {
    exec >"$dir/output" 2>"$dir/log"
    redirect 1 "$1"
    redirect 2 "$2"
    exec "${@:3}"
}

# find_address PID: where a program listens, though it could not say so.
find_address() {
    local port
    port=$(find "/proc/$1/fd" -lname 'socket:*' -printf '%l\n' 2>/dev/null | tr -dc '0-9\n' |
        awk 'FILENAME == "-" { mine[$1] }
            $4 == "0A" && $10 in mine { sub(/.*:/, "", $2); print $2 }' - /proc/net/tcp)
    address=127.0.0.1:$((16#${port:-0}))
    [ -n "$port" ]
}

# end_program PID STATUS...: waits for its end, and compares its status.
end_program() {
    await has_ended "$1" || {
        wrong 'it does not end'
        kill -KILL "$1"
    }
    wait "$1"
    status=$?
    [[ " ${*:2} " == *" $status "* ]] || wrong "status $status, not ${*:2}: $(<"$dir/log")"
}

server_outputs() {
    local kind pair
    for kind in "${kinds[@]}"; do
        for pair in "$kind file" "file $kind" "$kind $kind"; do
            begin "a server, stdout and stderr: $pair"
            # shellcheck disable=SC2086 # two words
            redirected $pair "$server" --port 0 --bind 127.0.0.1 --mode line </dev/null &
            pid=$!
            if await find_address "$pid"; then
                run_load --expect line --count 2000
            else
                wrong 'it does not listen'
            fi
            kill -INT "$pid"
            end_program "$pid" 0
            [[ $pair != *' file' ]] || check_log "$dir/log"
        done
    done
}

connections_closed() {
    grep -c ',Connection closed' "$dir/service"
}

has_served_another() {
    (($(connections_closed) > closed))
}

# client_output KIND STATUS OPTION...: a client whose stdout is of this kind. It waits for a pipe
# that is not read as long as nobody interrupts it.
client_output() {
    local closed
    begin "a client, stdout: $1, options: ${*:3}"
    closed=$(connections_closed)
    printf 'hello\n' | redirected "$1" file "$client" "${@:3}" "$address" &
    if [ "$1" = unread ]; then
        await has_served_another || wrong 'it does not talk to the server'
        kill -TERM $!
    fi
    end_program $! "$2"
    (($2 != 1)) || (($(grep -c '^echo-client: ' "$dir/log") == 1)) ||
        wrong "not one line on stderr: $(<"$dir/log")"
}

client_outputs() {
    local kind failed
    log=$dir/service
    begin_server
    log=$dir/log
    for kind in "${kinds[@]}"; do
        failed=1
        [ "$kind" != unread ] || failed=130
        client_output "$kind" "$failed"
        client_output "$kind" 1 --ping --count 3 --interval 0.001
        client_output "$kind" 1 --load --count 10 --json
        begin "a client, stderr: $kind"
        printf 'hello\n' | redirected file "$kind" "$client" "$address" &
        end_program $! 0
        [ "$(<"$dir/output")" = hello ] || wrong "stdout: $(<"$dir/output")"
        begin "a load, stderr: $kind"
        redirected file "$kind" "$client" --load --count 10 --json "$address" </dev/null &
        end_program $! 0
        grep -q '^{"type":"total","passed":true,.*}$' "$dir/output" ||
            wrong "stdout: $(<"$dir/output")"
    done
    log=$dir/service
    end_server
    log=$dir/log
}

stopped() {
    begin 'a server that is stopped and continued under load'
    begin_server
    begin_load --connections 20 --count 100000 --pipeline 4
    stop_and_continue "$pid"
    end_load
    begin 'a client that is stopped and continued, beside another one'
    "$client" --load --connections 20 --count 100000 --pipeline 4 "$address" </dev/null \
        >"$dir/client" 2>&1 &
    local stopped=$!
    begin_load --connections 2 --count 20000
    stop_and_continue "$stopped"
    end_load
    wait "$stopped" || wrong "the client that was stopped: $(<"$dir/client")"
    end_server
    check_log "$log"
}

resets() {
    local mode stage expect
    for mode in echo line chunk; do
        expect='line'
        [ "$mode" != echo ] || expect='echo'
        begin_server --mode "$mode" --quiet
        begin_load --connections 4 --rate 2000 --duration 1 --expect "$expect"
        for stage in connected served middle unread half-closed; do
            begin "mode $mode, resets: $stage"
            "$build/torture/reset" "$stage" "${address##*:}" || wrong 'it cannot connect'
        done
        end_load
        end_server
        check_log "$log"
    done
}

all=(descriptors file_size full_disk server_outputs client_outputs stopped resets)
folder=$(mktemp -d "$build/torture/situations.XXXXXX") || exit 1
trap 'end_children; ! mountpoint -q "$folder/disk" || umount "$folder/disk"; rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
begin_folder "$folder"
mkfifo "$dir/pipe1" "$dir/pipe2"
for situation in "${@:2}" "${all[@]:$(($# > 1 ? ${#all[@]} : 0))}"; do
    context="$0 $build $situation"
    prepare=(:)
    "$situation"
done
echo "situations: $situations, $broken broken promises"
exit $((broken > 0))

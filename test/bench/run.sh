#!/usr/bin/env bash
# Measures echo-server beside other servers and prints the results; called by `make bench`.
#   test/bench/run.sh BUILD
# There are BENCH_ROUNDS (7) rounds. In each round, every case runs with every server in turn, for
# BENCH_SECONDS (1) each. The servers have core BENCH_SERVER_CORE (0) to themselves, the load has
# core BENCH_LOAD_CORE (1). After 7 rounds or more the results go into docs/performance.md and .svg.
set -euo pipefail

build=$1
rounds=${BENCH_ROUNDS:-7}
seconds=${BENCH_SECONDS:-1}
bench=$build/bench
folder=$bench
runs=$bench/runs   # of throughput: CASE ROUND SERVER RATE SERVER_TICKS LOAD_TICKS SECONDS MESSAGES
facts=$bench/facts # of everything else: KEY SERVER VALUE...
disturbed=0
# shellcheck source=test/bench/measure.sh
. test/bench/measure.sh

# The command for each name in the table of cases below.
command_of() {
    case $1 in
    ours) echo "$build/echo-server --quiet --bind 127.0.0.1 --port 0" ;;
    ours-line) echo "$build/echo-server --quiet --bind 127.0.0.1 --port 0 --mode line" ;;
    floor) echo "$bench/floor" ;;
    bare) command_of ours ;;
    select) echo "$(command_of ours) --select-all" ;;
    polled) echo "$(command_of ours) --select-polled" ;;
    short-queue) echo "prlimit --sigpending=10 $(command_of ours)" ;;
    libuv-tuned) echo "$bench/libuv_echo tuned" ;;
    *) echo "$bench/$1_echo" ;;
    esac
}

# start NAME: starts one of these servers.
start() {
    # shellcheck disable=SC2046 # words
    start_server $(command_of "$1")
}

# hold N: holds N idle connections to the server open, until clean_up.
hold() {
    taskset -c "$load_core" "$bench/crowd" "$port" hold "$1" >"$bench/fifo" &
    clients_pid=$!
    read -r line <"$bench/fifo" || {
        note "cannot hold $1 connections"
        exit 1
    }
}

crowd() {
    taskset -c "$load_core" "$bench/crowd" "$port" "$@"
}

# In clock ticks: CPU time of the server, of the programs that this shell has waited for, and of
# everything else on both cores. The last one is what disturbs the measurement.
server_ticks() {
    awk '{ print $14 + $15 }' "/proc/$server_pid/stat"
}
load_ticks() {
    awk '{ print $16 + $17 }' "/proc/$$/stat"
}
other_ticks() {
    awk -v cores=" cpu$server_core cpu$load_core " -v ours="$(($(server_ticks) + $(load_ticks)))" '
        index(cores, " " $1 " ") { busy += $2 + $3 + $4 + $7 + $8 + $9 }
        END { print busy - ours }' /proc/stat
}

# kibibytes VmRSS|VmHWM: memory of the server
kibibytes() {
    awk -v key="$1:" '$1 == key { print $2 }' "/proc/$server_pid/status"
}

# stream N: N connections that send and receive as much as they can and compare nothing, which loads
# the server more than echo-client can. A message is 64 KiB here. Sets the same variables as load.
stream() {
    # shellcheck disable=SC2046 # words
    set -- $(crowd probe 1 0 "$1" "$seconds" 100000)
    lasted=$seconds
    rate=$(echo "$6" | awk '{ print $1 / 65536 }')
    answered=$(echo "$rate $lasted" | awk '{ print $1 * $2 }')
}

# bare N: N connections in a closed loop on a bare epoll generator, which compares and times nothing.
bare() {
    # shellcheck disable=SC2046 # words
    set -- $(crowd probe 1 "$1" 0 "$seconds" 1000000)
    lasted=$seconds
    rate=$7
    answered=$(echo "$rate $lasted" | awk '{ print $1 * $2 }')
}

# load OPTION...: a run of echo-client --load. Sets variables from its report.
load() {
    taskset -c "$load_core" "$build/echo-client" --load --json "$@" 127.0.0.1 "$port" \
        >"$bench/report" 2>"$bench/log" || {
        note "the load failed, $*: $(cat "$bench/report" "$bench/log")"
        exit 1
    }
    answered=$(reported messages_answered)
    rate=$(reported messages_per_second)
    lasted=$(reported duration_seconds)
}

# used COMMAND...: runs it, and sets the clock ticks that server, load and others use in that time.
used() {
    server_used=$(server_ticks) load_used=$(load_ticks) others_used=$(other_ticks)
    "$@"
    others_used=$(($(other_ticks) - others_used))
    server_used=$(($(server_ticks) - server_used)) load_used=$(($(load_ticks) - load_used))
}

# reported KEY: the number in the report.
reported() {
    sed "s/.*\"$1\":\([0-9.]*\).*/\1/" "$bench/report"
}

# measure CASE ROUND SERVER IDLE stream N|load OPTION...: adds a line to $runs. A load of one message
# shows what it costs to make and end all the connections, which is not counted. A run that other
# programs disturb is repeated, twice at most.
measure() {
    local name=$1 round=$2 server=$3 idle=$4 try server_before=0 load_before=0
    shift 4
    [ "$server" != ours-line ] || set -- "$@" --expect line
    [ "$server" != bare ] || set -- bare "$name"
    start "$server"
    if [ "$idle" -gt 0 ]; then
        hold "$idle"
        sleep 0.3 # until they are cold
    fi
    if [ "$1" = load ]; then
        used "$@" --count 1
        server_before=$server_used load_before=$load_used
        set -- "$@" --duration "$seconds"
    fi
    for try in 1 2 3; do
        used "$@"
        [ $((others_used * 10)) -gt $((server_used + load_used)) ] || break
        [ "$try" -lt 3 ] || disturbed=$((disturbed + 1))
    done
    echo "$name $round $server $rate $((server_used - server_before))" \
        "$((load_used - load_before)) $lasted $answered" >>"$runs"
    clean_up
}

# measure_round ROUND: all throughput cases, each with one server right after the other, in an order
# that is reversed from round to round. A case has a name, a number of idle connections, additional
# servers to measure with it, and a load. "bare" is ours under a bare generator.
measure_round() {
    local name idle extra options servers server
    while read -r name idle extra options <&3; do
        [ "$idle" -le "$room" ] || continue
        servers=$all
        [ "$name" != line ] || servers="ours-line floor"
        [ "$extra" = - ] || servers="$servers ${extra//+/ }"
        [ $(($1 % 2)) -eq 1 ] || servers=$(echo "$servers" | awk '{ for (; NF; NF--) print $NF }')
        for server in $servers; do
            # shellcheck disable=SC2086 # words
            measure "$name" "$1" "$server" "$idle" $options
        done
    done 3<<'END'
1          0    bare   load --connections 1
10         0    bare+select load --connections 10
100        0    bare   load --connections 100
500        0    bare   load --connections 500
1000       0    -      load --connections 1000
5000       0    -      load --connections 5000
idle-100   100  select load --connections 10
idle-900   900  select load --connections 10
idle-3000  3000 select load --connections 10
idle-9000  9000 select load --connections 10
bulk-1     0    -      load --connections 1 --size 65536 --pipeline 16
bulk-10    0    -      load --connections 10 --size 65536 --pipeline 16
stream-1   0    -      stream 1
stream-10  0    -      stream 10
pipelined  0    -      load --connections 10 --pipeline 100
reconnect  0    -      load --connections 10 --reconnect
line       0    -      load --connections 100
END
}

# fact KEY SERVER VALUE...
fact() {
    echo "$@" >>"$facts"
}

# System calls per message while 100 connections are busy. Each message takes one call that sends.
count_calls() {
    start "$1"
    taskset -c "$load_core" "$build/echo-client" --load --connections 100 --duration 2 \
        127.0.0.1 "$port" >/dev/null 2>&1 &
    clients_pid=$!
    sleep 0.5
    : >"$bench/calls"
    timeout 1 strace -c -p "$server_pid" -o "$bench/calls" 2>/dev/null || true
    wait "$clients_pid" || true
    calls=$(awk '$NF == "total" { total = $4 }
        $NF ~ /^(sendto|write|writev|sendmsg)$/ { messages += $4 }
        END { if (messages) print total / messages }' "$bench/calls")
    if [ -n "$calls" ]; then
        fact calls "$1" "$calls"
    else
        note "strace cannot trace $1"
    fi
    clean_up
}

# Resident bytes for each of 10,000 idle connections, and CPU time and wake-ups in one idle second.
measure_idle() {
    start "$1"
    before=$(kibibytes VmRSS)
    hold "$2"
    sleep 0.5 # until it has polled them all
    fact memory "$1" $((($(kibibytes VmRSS) - before) * 1024 / $2))
    cpu=$(server_ticks)
    wakes=$(awk '/^voluntary/ { print $2 }' "/proc/$server_pid/status")
    sleep 1
    fact asleep "$1" $(($(server_ticks) - cpu)) \
        $(($(awk '/^voluntary/ { print $2 }' "/proc/$server_pid/status") - wakes))
    clean_up
}

# The most kibibytes that the server takes while N clients write and never read.
measure_flood() {
    start "$1"
    before=$(kibibytes VmRSS)
    crowd flood "$2" >/dev/null
    fact flood "$1" $(($(kibibytes VmHWM) - before))
    clean_up
}

# probe KEY SERVER ARGUMENTS_OF_CROWD...
probe() {
    key=$1 server=$2
    shift 2
    start "$server"
    # shellcheck disable=SC2046 # words
    fact "$key" "$server" $(crowd "$@")
    clean_up
}

# CPU time per second for N connections that each send a message a second, without the time to make
# them.
measure_sparse() {
    local server=$1 count=$2 before
    start "$server"
    before=$(server_ticks)
    crowd probe "$count" 0 0 0 1000 >/dev/null
    before=$(($(server_ticks) - before))
    cpu=$(server_ticks)
    # shellcheck disable=SC2046 # words
    set -- $(crowd probe "$count" 0 0 "$seconds" $((1000000 / count)))
    fact sparse "$server" "$(awk -v used=$(($(server_ticks) - cpu - before)) -v lasted="$seconds" \
        'BEGIN { print used / lasted }')" "$2"
    clean_up
}

probe_all() {
    local server idle
    for server in $all select; do
        for idle in 100 1000 3000 9000; do
            [ "$room" -lt "$idle" ] ||
                probe "alone-$idle" "$server" probe "$idle" 0 0 "$seconds" 5000
        done
        if [ "$room" -ge 9000 ]; then
            probe wake "$server" probe 9000 10 0 "$seconds" 5000
            probe join "$server" join 9000 10 "$seconds" 5000
            measure_sparse "$server" 5000
        fi
        [ "$room" -lt 10000 ] || probe burst "$server" burst 10000
        probe fair "$server" probe 100 0 1 "$seconds" 200
    done
    for server in polled short-queue; do
        [ "$room" -lt 9000 ] || probe wake "$server" probe 9000 10 0 "$seconds" 5000
        [ "$room" -lt 9000 ] || probe alone-9000 "$server" probe 9000 0 0 "$seconds" 5000
    done
}

measure_once() {
    local server
    for server in $all; do
        ! command -v strace >/dev/null || count_calls "$server"
        [ "$room" -lt 10000 ] || measure_idle "$server" 10000
        [ "$room" -lt 1000 ] || measure_flood "$server" 1000
    done
}

prepare getconf prlimit
room=$(ulimit -n)
[ "$room" != unlimited ] || room=1000000
room=$((room - 200))
[ "$room" -ge 10000 ] ||
    note "only $room descriptors (ulimit -n): what needs more of them is left out"
all="ours floor"
for server in libuv libuv-tuned libevent; do
    if [ -x "$bench/${server%-tuned}_echo" ]; then
        all="$all $server"
    else
        note "without $server, whose library is not there: make deps-bench"
    fi
done

: >"$runs"
: >"$facts"
round=0
while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    note "round $round of $rounds"
    measure_round "$round"
    probe_all
done
note "system calls and memory"
measure_once

{
    echo "$(date +%Y-%m-%d), $(uname -sr)," \
        "$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1), medians of $rounds rounds of" \
        "$seconds s; $disturbed of $(wc -l <"$runs") runs were disturbed by other programs."
    echo
    awk -v ticks="$(getconf CLK_TCK)" -f test/bench/table.awk "$runs" "$facts"
} >"$bench/table.md"
awk -f test/bench/chart.awk "$facts" >"$bench/performance.svg"
cat "$bench/table.md"
if [ "$rounds" -ge 7 ]; then
    awk -v table="$bench/table.md" '
        /<!-- measured: end -->/   { skip = 0 }
        !skip                      { print }
        /<!-- measured: begin -->/ { skip = 1; while ((getline line <table) > 0) print line }
    ' docs/performance.md >"$bench/performance.md"
    cp "$bench/performance.md" "$bench/performance.svg" docs
    note "written into docs/performance.md and docs/performance.svg"
fi

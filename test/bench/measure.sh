# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables of the scripts that read this
# measure.sh: what run.sh and test/soak/abuse.sh share. Each gives `folder`, where its files are. The
# server has core BENCH_SERVER_CORE (0) to itself, its clients have core BENCH_LOAD_CORE (1).

server_core=${BENCH_SERVER_CORE:-0}
load_core=${BENCH_LOAD_CORE:-1}
server_pid='' clients_pid='' # of what runs in the background

note() {
    echo "$0: $*" >&2
}

# end PID: also one that does not listen to anything else.
end() {
    kill -9 "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

clean_up() {
    [ -z "$clients_pid" ] || end "$clients_pid"
    [ -z "$server_pid" ] || end "$server_pid"
    clients_pid='' server_pid=''
}

# start_server COMMAND...: sets server_pid and port.
start_server() {
    local line
    taskset -c "$server_core" "$@" >"$folder/fifo" 2>"$folder/log" &
    server_pid=$!
    read -r line <"$folder/fifo" || {
        note "cannot start $1: $(cat "$folder/log")"
        exit 1
    }
    port=${line##*:}
}

# prepare TOOL...: ends the script where it cannot measure; else everything that runs ends with it.
prepare() {
    local tool
    for tool in taskset awk "$@"; do
        command -v "$tool" >/dev/null || { note "there is no $tool here"; exit 1; }
    done
    if ! taskset -c "$server_core" true || ! taskset -c "$load_core" true; then
        note "needs two cores: BENCH_SERVER_CORE and BENCH_LOAD_CORE"
        exit 1
    fi
    ulimit -n "$(ulimit -Hn)"
    trap clean_up EXIT
    trap 'exit 1' INT TERM
    rm -f "$folder/fifo"
    mkfifo "$folder/fifo"
}

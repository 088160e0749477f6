# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables of the scripts that read this
# programs.sh: what outside.sh and situations.sh share. Each gives `build`, and `context`, the
# command that shows once more what is being tried.

if [ "$(uname -s)" != Linux ]; then
    echo "left out: $0, which is for Linux"
    exit 0
fi
mkdir -p "$build/torture"
server=$build/echo-server
client=$build/echo-client
broken=0 # promises
# Far more seconds than any run takes.
patience=20

# problem TEXT: reports a broken promise; the run goes on, so that one run shows all of them.
problem() {
    broken=$((broken + 1))
    printf '%s\n    to see it once more: %s\n' "${1:0:2000}" "$context"
}

# end_children: what an interrupted job has left running.
end_children() {
    local pid
    for pid in $(jobs -p); do
        kill -KILL "$pid" 2>/dev/null
    done
}

# begin_folder FOLDER: where a job has its files.
begin_folder() {
    dir=$1
    log=$dir/log
    mkdir -p "$dir"
    [ -p "$dir/out" ] || mkfifo "$dir/out"
}

# await COMMAND...: until it succeeds; status 1 when it does not.
await() {
    local end=$((SECONDS + patience))
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.01
    done
}

# in_log TEXT: whether a program has written it to stderr, `log`.
in_log() {
    [[ $(<"$log") == *"$1"* ]]
}

# read_address: waits for where the server listens, from its stdout, `out`; `address` stays empty
# when it ends before, or says that it could not write it.
read_address() {
    local end=$((SECONDS + patience))
    address=
    until read -r -t 0.1 -u "$out" _ _ address; do
        (($? > 128)) || return 0
        ! in_log 'Cannot write to standard output' || return 0
        if ((SECONDS > end)); then
            problem 'it does not say where it listens'
            return 0
        fi
    done
}

# finish PID: waits for the end of a program whose stdout is `out`; sets `status`.
finish() {
    local rest
    read -r -d '' -t "$patience" -u "$out" rest
    if (($? > 128)); then
        problem 'it does not end'
        kill -KILL "$1"
    fi
    exec {out}<&-
    wait "$1" 2>/dev/null
    status=$?
    [ -z "$rest" ] || problem "more on stdout: $rest"
}

# check_log: each line on stderr is whole, and is one of the server's.
check_log() {
    local line time='^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2},([A-Z0-9]|select)'
    while IFS= read -r line || { [ -n "$line" ] && line+=' (without its end)'; }; do
        if [[ $line == *'(without its end)' ]] ||
            ! [[ $line == 'echo-server: '* || $line =~ $time ]]; then
            problem "a line on stderr: $line"
        fi
    done <"$1"
}

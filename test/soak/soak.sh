#!/usr/bin/env bash
# Lets clients of all kinds come and go (churn.c) beside a load whose every byte is compared, half
# of the time in echo mode and half in line mode; called by `make soak`.
#   test/soak/soak.sh BUILD SECONDS
# After a while, and at the end, when all clients have left, the server is what it was: as many
# descriptors, no connection, and the memory that it had after that while. The log is complete and
# right (log.awk). Status 1 when anything is not so. SOAK_RATE: clients a second (2500).
#
# Where other programs use up the system's memory for TCP ("TCP: out of memory" in dmesg), the system
# resets connections that the server has closed well, and a client here is lost: that says nothing
# about the server.
set -euo pipefail

build=$1
seconds=$2
rate=${SOAK_RATE:-2500}
more_memory=512 # kibibytes that the server may take at the end beyond those after the warm-up
soak=$build/soak
server_pid='' churn_pid='' load_pid=''
failed=0
connections=0

wrong() {
    echo "test/soak/soak.sh: WRONG: $*" >&2
    failed=1
}

# end PID: for what is not to go on.
end() {
    kill "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

clean_up() {
    [ -z "$churn_pid" ] || end "$churn_pid"
    [ -z "$load_pid" ] || end "$load_pid"
    [ -z "$server_pid" ] || end "$server_pid"
}

# start_server MODE: sets server_pid, port and descriptors_before. The malloc() of glibc is told to
# give back what is freed: otherwise the gaps in its heap, a MiB or two, would hide a leak.
start_server() {
    MALLOC_MMAP_THRESHOLD_=4096 MALLOC_TRIM_THRESHOLD_=4096 \
        "$build/echo-server" --bind 127.0.0.1 --port 0 --mode "$1" >"$soak/fifo" 2>"$soak/log" &
    server_pid=$!
    read -r line <"$soak/fifo" || {
        cat "$soak/log" >&2
        exit 1
    }
    port=${line##*:}
    descriptors_before=$(descriptors)
}

descriptors() {
    find "/proc/$server_pid/fd" -mindepth 1 | wc -l
}

resident() {
    awk '$1 == "VmRSS:" { print $2 }' "/proc/$server_pid/status"
}

# Waits until the server has closed what its clients have left: after its 2 s of lingering.
settle() {
    local until=$((SECONDS + 20))
    while [ "$(descriptors)" -ne "$descriptors_before" ]; do
        if [ "$SECONDS" -ge "$until" ]; then
            wrong "$mode mode: all clients have left, and the server has $(descriptors)" \
                "descriptors open instead of $descriptors_before"
            return
        fi
        sleep 0.1
    done
}

# churn_beside_load SECONDS: both write a report, whatever they find.
churn_beside_load() {
    local status
    "$build/echo-client" --load --expect "$mode" --connections 20 --size 300 --rate 500 \
        --duration "$1" --json 127.0.0.1 "$port" >"$soak/load.json" 2>&1 &
    load_pid=$!
    "$soak/churn" "$port" "$mode" "$1" "$rate" "$build/echo-client" >"$soak/churn.txt" &
    churn_pid=$!
    status=0
    wait "$churn_pid" || status=$?
    churn_pid=''
    [ "$status" -eq 0 ] || wrong "$mode mode: a client was not served as it should, status $status"
    status=0
    wait "$load_pid" || status=$?
    load_pid=''
    [ "$status" -eq 0 ] || wrong "$mode mode: the load: status $status: $(cat "$soak/load.json")"
    made=$((made + $(reported connections_made)))
    made=$((made + $(awk '/ connections, without/ { made = $1 } END { print made + 0 }' \
        "$soak/churn.txt")))
    processes=$((processes + $(awk '/ loads stopped/ { sum += $1 } END { print sum + 0 }' \
        "$soak/churn.txt")))
}

# reported KEY: the number in the load's report.
reported() {
    sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p" "$soak/load.json" | grep . || echo 0
}

stop_server() {
    local status=0
    kill -INT "$server_pid"
    wait "$server_pid" || status=$?
    server_pid=''
    [ "$status" -eq 0 ] || wrong "$mode mode: the server ended with status $status"
}

# Sets lines, served and blocked.
check_log() {
    local told
    [ -z "$(tail -c 1 "$soak/log")" ] || wrong "$mode mode: the last line of the log has no end"
    if told=$(LC_ALL=C awk -v mode="$mode" -f test/soak/log.awk "$soak/log"); then
        read -r lines served blocked <<<"$told"
    else
        wrong "$mode mode: $told"
        lines=0 served=0 blocked=0
        return
    fi
    [ "$blocked" -gt 0 ] || wrong "$mode mode: no client was blocked; then too little was tried"
    # Of a load that is killed nobody knows how many connections it made.
    if [ "$served" -lt "$made" ] || [ "$served" -gt $((made + 4 * processes)) ]; then
        wrong "$mode mode: clients made $made connections, and up to 4 in each of $processes" \
            "loads that were stopped; the server served $served"
    fi
}

soak() {
    local warm_up=$(((seconds + 19) / 20))
    made=0 processes=0
    start_server "$mode"
    local start_memory
    start_memory=$(resident)
    churn_beside_load "$warm_up"
    settle
    local early_descriptors early_memory
    early_descriptors=$(descriptors) early_memory=$(resident)
    churn_beside_load $((seconds / 2 - warm_up))
    settle
    local late_descriptors late_memory
    late_descriptors=$(descriptors) late_memory=$(resident)
    [ "$late_memory" -le $((early_memory + more_memory)) ] ||
        wrong "$mode mode: the server takes $late_memory KiB instead of $early_memory KiB"
    stop_server
    check_log
    connections=$((connections + served))

    echo "$mode mode, after a warm-up of $warm_up s:"
    cat "$soak/churn.txt"
    printf '%10d messages of the load, every byte compared; p99 %s us\n' \
        "$(reported messages_answered)" \
        "$(sed -n 's/.*"round_trip":{[^}]*"p99_us":\([0-9.]*\).*/\1/p' "$soak/load.json")"
    printf '%10d lines of the log; %d connections opened and closed, warm-up included\n' \
        "$lines" "$served"
    printf '%10d of them did not take all that the server had for them\n' "$blocked"
    printf '%10s %10s %10s %10s\n' '' before warmed-up after
    printf '%10s %10s %10s %10s\n' 'RSS, KiB' "$start_memory" "$early_memory" "$late_memory" \
        descriptors "$descriptors_before" "$early_descriptors" "$late_descriptors"
    echo
}

if [ "$seconds" -lt 10 ]; then
    echo "test/soak/soak.sh: 10 seconds are the least" >&2
    exit 2
fi
trap clean_up EXIT
trap 'exit 1' INT TERM
ulimit -n "$(ulimit -Hn)"
rm -f "$soak/fifo"
mkfifo "$soak/fifo"
for mode in echo line; do
    soak
    [ "$failed" -eq 0 ] || break # the log of the mode that failed is kept
    rm -f "$soak/log"
done
if [ "$failed" -ne 0 ]; then
    echo "test/soak/soak.sh: FAILED; the log is $soak/log" >&2
    exit 1
fi
echo "$connections connections in all: memory, descriptors, log and every byte are right"

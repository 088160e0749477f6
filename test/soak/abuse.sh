#!/usr/bin/env bash
# Measures a well-behaved client alone and beside clients that behave badly (abusers.c), in turn,
# and prints a table; called by `make abuse`.
#   test/soak/abuse.sh BUILD
# There are ABUSE_ROUNDS (5) rounds of each abuse, and each run lasts ABUSE_SECONDS (3). The server
# has core BENCH_SERVER_CORE (0) to itself. All clients share core BENCH_LOAD_CORE (1); the
# well-behaved one goes first there, because it is the server that is measured. Status 1
# - when the median of p99 beside the others is more than ABUSE_LIMIT (5) times p99 alone,
# - when a byte of the well-behaved client is wrong or missing,
# - or when the server takes more memory than docs/design.md says.
#
# Peers that never read are blocked before the client is measured. Two rows have no limit of p99,
# because they are more load than one core serves: the time in which these peers fill the system's
# buffers, a thousand streams at full speed, and all abuses together.
#
# Those who never read take up to 2.3 GB of the system's memory for TCP. Where that is near the last
# number in /proc/sys/net/ipv4/tcp_mem (in pages), the system resets connections, those of other
# programs too: run this where it hurts nobody.
#
# The figures mean something where nothing else runs. Elsewhere, a shell of root's can let all this
# go before other programs: echo -10 >/proc/self/autogroup (sched(7)).
set -euo pipefail

build=$1
rounds=${ABUSE_ROUNDS:-5}
seconds=${ABUSE_SECONDS:-3}
limit=${ABUSE_LIMIT:-5}
soak=$build/soak
folder=$soak
runs=$soak/abuse # NAME QUIET_P50 QUIET_P99 P50 P99 KIBIBYTES BOUND DEEDS... (of abusers.c)
# shellcheck source=test/bench/measure.sh
. test/bench/measure.sh

# NAME MODE DRIBBLERS DEAF ENDLESS FLOOD [filling]
abuses='byte-a-second echo 10000 0 0 0
never-read echo 0 1000 0 0
never-read-filling echo 0 1000 0 0 filling
line-without-end line 0 0 1000 0
connect-and-close echo 0 0 0 16
all-together line 10000 1000 1000 16'

# peak: the most kibibytes that the server had in memory
peak() {
    awk '$1 == "VmHWM:" { print $2 }' "/proc/$server_pid/status"
}

# behave: the well-behaved client; sets p50 and p99. It does not wait for an answer before it sends
# the next message, so that each is timed on its own.
behave() {
    taskset -c "$load_core" "$build/echo-client" --load --expect "$mode" \
        --rate 500 --pipeline 10000 --duration "$seconds" --json 127.0.0.1 "$port" \
        >"$soak/report" 2>&1 || {
        note "$name: the well-behaved client failed: $(cat "$soak/report")"
        failed=1
    }
    p50=$(round_trip p50_us) p99=$(round_trip p99_us)
}

# round_trip KEY: the number in the report.
round_trip() {
    sed -n "s/.*\"round_trip\":{[^}]*\"$1\":\([0-9.]*\).*/\1/p" "$soak/report" | grep . || echo 0
}

# The kibibytes that the server may have for clients of each kind (docs/design.md, "How much
# memory"). A connection has an allocation of 128 bytes, and up to 64 in the tables of the selector,
# which double. The block of a buffer takes up to 48 more than its bytes. In line mode blocks may be
# twice as large as what is in them. --max-line is 64 KiB.
bound_of() {
    awk -v mode="$1" -v dribblers="$2" -v deaf="$3" -v endless="$4" 'BEGIN {
        line = mode == "line"
        k = 1024
        per_client = 128 + 64
        short_line = line ? 2 * 16 + 48 : 0
        queued = line ? 2 * (64 * k + 64 * k + 21 + 48) : 64 * k + 48
        pending = line ? 2 * (64 * k + 1 + 64 * k + 48) : 0
        # Those who read are sent less than 64 KiB, so that they are read from by 16 KiB.
        unfinished = 2 * (64 * k + 1 + 16 * k + 48)
        shared = (256 + 64 + 64) * k
        bytes = shared + dribblers * (per_client + short_line)
        bytes += deaf * (per_client + queued + pending) + endless * (per_client + unfinished)
        # Of the flood, as many as the queue of the listener holds.
        bytes += 4096 * per_client
        printf "%d\n", bytes / k
    }'
}

# measure NAME MODE DRIBBLERS DEAF ENDLESS FLOOD: adds a line to $runs.
measure() {
    local quiet before
    name=$1 mode=$2
    shift 2
    start_server "$build/echo-server" --bind 127.0.0.1 --port 0 --mode "$mode"
    behave
    quiet="$p50 $p99"
    before=$(peak)
    nice taskset -c "$load_core" "$soak/abusers" "$port" "$@" \
        >"$soak/fifo" 2>"$soak/errors" &
    clients_pid=$!
    exec 3<"$soak/fifo"
    read -r line <&3 || {
        note "$name: $(cat "$soak/errors")"
        exit 1
    }
    behave
    local most=$(($(peak) - before)) deeds
    kill "$clients_pid"
    read -r deeds <&3 || {
        note "$name: the abusers ended: $(cat "$soak/errors")"
        exit 1
    }
    exec 3<&-
    echo "$name $quiet $p50 $p99 $most $(bound_of "$mode" "$@") $deeds" >>"$runs"
    clean_up
}

# The medians of the rounds, and what is not as it should be.
table() {
    awk -v limit="$limit" -v seconds="$seconds" '
        function median(key,    n, i, k, t) {
            n = count[name]
            for (i = 1; i <= n; i++)
                sorted[i] = value[name, key, i]
            for (i = 2; i <= n; i++)
                for (k = i; k > 1 && sorted[k - 1] > sorted[k]; k--) {
                    t = sorted[k]; sorted[k] = sorted[k - 1]; sorted[k - 1] = t
                }
            return (sorted[int((n + 1) / 2)] + sorted[int(n / 2) + 1]) / 2
        }
        {
            if (!count[$1]++)
                names[++kinds] = $1
            i = count[$1]
            value[$1, "quiet", i] = $3
            value[$1, "p50", i] = $2 ? $4 / $2 : 0
            value[$1, "p99", i] = $3 ? $5 / $3 : 0
            value[$1, "dribbled", i] = $8
            value[$1, "sent", i] = $9 / 1e6
            value[$1, "refused", i] = $10 / seconds
            value[$1, "flooded", i] = $11 / seconds
            if ($6 > most[$1])
                most[$1] = $6
            bound[$1] = $7
        }
        END {
            form = "%-18s %9s %9s %9s %9s %9s  %s\n"
            printf form, "", "quiet p99", "p50", "p99", "memory", "bound", ""
            printf form, "beside", "us", "times", "times", "KiB", "KiB", "what they did"
            for (k = 1; k <= kinds; k++) {
                name = names[k]
                did = ""
                if (median("dribbled"))
                    did = did sprintf("%.0f bytes one by one; ", median("dribbled"))
                if (median("sent"))
                    did = did sprintf("%.0f MB not read; ", median("sent"))
                if (median("refused"))
                    did = did sprintf("%.0f lines refused a second; ", median("refused"))
                if (median("flooded"))
                    did = did sprintf("%.0f connections a second; ", median("flooded"))
                sub(/; $/, "", did)
                printf form, name, sprintf("%.0f", median("quiet")), sprintf("%.2f", median("p50")),
                    sprintf("%.2f", median("p99")), most[name], bound[name], did
                if (median("p99") > limit && name !~ /-filling$|^all-/)
                    wrong = wrong "NOT MET: " name ": p99 is more than " limit " times as long\n"
                if (most[name] > bound[name])
                    wrong = wrong "NOT MET: " name ": more memory than the bound\n"
            }
            printf "%s", wrong
            exit wrong != ""
        }' "$runs"
}

prepare nice
if [ "$(ulimit -n)" != unlimited ] && [ "$(ulimit -n)" -lt 17000 ]; then
    note "needs 17000 descriptors, and there are $(ulimit -n) (ulimit -n)"
    exit 1
fi
: >"$runs"
failed=0
round=0
while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    note "round $round of $rounds; load average $(cut -d ' ' -f 1 /proc/loadavg)"
    while read -r arguments <&4; do
        # shellcheck disable=SC2086 # words
        measure $arguments
    done 4<<<"$abuses"
done
table || failed=1
exit "$failed"

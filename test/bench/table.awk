# The results of test/bench/run.sh as Markdown:
#   awk -v ticks=CLOCK_TICKS_A_SECOND -f table.awk RUNS FACTS
# All are medians over the rounds; ratios are taken within each round, between neighbouring runs.

function median(list,    values, n, i, j, swap) {
    n = split(list, values, " ")
    if (n == 0)
        return "-"
    for (i = 1; i <= n; i++)
        for (j = i + 1; j <= n; j++)
            if (values[j] + 0 < values[i] + 0) {
                swap = values[i]
                values[i] = values[j]
                values[j] = swap
            }
    return n % 2 ? values[(n + 1) / 2] + 0 : (values[n / 2] + values[n / 2 + 1]) / 2
}

# The median over the rounds of the value of `one` in a case, divided by that of `other`.
function ratio(of, name, one, other,    list, round) {
    for (round = 1; round <= rounds; round++)
        if (of[name, one, round] > 0 && of[name, other, round] > 0)
            list = list " " of[name, one, round] / of[name, other, round]
    return median(list)
}

function alone(of, name, server,    list, round) {
    for (round = 1; round <= rounds; round++)
        if ((name, server, round) in of)
            list = list " " of[name, server, round]
    return median(list)
}

function fixed(value, format) {
    return value == "-" ? "-" : sprintf(format, value)
}

function row(name, title, of_floor, of_libuv,    ours, server_core, load_core, remark) {
    ours = name == "line" ? "ours-line" : "ours"
    server_core = alone(server_busy, name, ours)
    load_core = alone(load_busy, name, ours)
    if (load_core == "-")
        return
    remark = load_core >= 0.93 && server_core < 0.9 ? " (the limit)" : ""
    printf "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %.0f %% | %.0f %%%s |\n", title,
        fixed(alone(rate, name, "floor"), "%.0f"), fixed(ratio(rate, name, ours, "floor"), "%.2f"),
        of_floor, fixed(ratio(rate, name, ours, "libuv"), "%.2f"), of_libuv,
        fixed(ratio(rate, name, ours, "libuv-tuned"), "%.2f"),
        fixed(ratio(rate, name, ours, "libevent"), "%.2f"),
        fixed(ratio(cost, name, ours, "floor"), "%.2f"), server_core * 100, load_core * 100, remark
}

function cost_row(server, title,    first, last) {
    first = alone(cost, "10", server)
    last = alone(cost, "5000", server)
    if (first == "-")
        return
    printf "| %s | %s | %s | %s | %s | %s |\n", title, fixed(first, "%.2f"),
        fixed(alone(cost, "100", server), "%.2f"), fixed(alone(cost, "1000", server), "%.2f"),
        fixed(last, "%.2f"), last == "-" ? "-" : sprintf("%.2f", last / first)
}

# A row of the last table: `field` of a fact for each server, and the target for ours.
function fact_row(key, field, title, asked, scale,    i, line, some) {
    for (i = 1; i <= servers; i++) {
        some = some || (key, order[i], field) in fact
        line = line " | " ((key, order[i], field) in fact ? \
            sprintf("%.4g", median(fact[key, order[i], field]) / scale) : "-")
    }
    if (some)
        printf "| %s%s | %s |\n", title, line, asked
}

# A target for ours that is a multiple of the floor's value, plus some microseconds.
function of_floor(key, field, times, more, scale) {
    return sprintf("%.3g", (median(fact[key, "floor", field]) * times + more) / (scale ? scale : 1e3))
}

BEGIN {
    servers = split("ours floor libuv libuv-tuned libevent select polled short-queue", order, " ")
    split("1 10 100 500", few, " ")
}

FILENAME == ARGV[1] {
    rate[$1, $3, $2] = $4
    server_busy[$1, $3, $2] = $5 / ticks / $7
    load_busy[$1, $3, $2] = $6 / ticks / $7
    if ($8 > 0)
        cost[$1, $3, $2] = $5 / ticks / $8 * 1e6 # microseconds
    if ($2 > rounds)
        rounds = $2
    next
}

{
    for (i = 3; i <= NF; i++)
        fact[$1, $2, i - 2] = fact[$1, $2, i - 2] " " $i
}

END {
    print "| messages/s | floor | ours / floor | target | ours / libuv | target |" \
        " ours / libuv tuned | ours / libevent | CPU a message, ours / floor | server's core | load's core |"
    print "|---|---|---|---|---|---|---|---|---|---|---|"
    row("1", "1 connection, 64 B", "0.97", "1.0")
    row("10", "10 connections", "1.00", "1.9")
    row("100", "100 connections", "1.00", "1.9")
    row("500", "500 connections", "1.00", "1.9")
    row("5000", "5,000 connections", "1.00", "1.3")
    row("idle-900", "10 beside 900 idle", "1.00", "1.9")
    row("idle-9000", "10 beside 9,000 idle", "1.00", "1.9")
    row("bulk-1", "1 connection, 64 KiB x 16", "1.00", "1.5")
    row("bulk-10", "10 connections, 64 KiB x 16", "1.00", "1.5")
    row("stream-1", "1 connection, streaming, nothing compared", "-", "-")
    row("stream-10", "10 connections, streaming", "-", "-")
    row("pipelined", "10 connections, 64 B x 100", "1.00", "1.4")
    row("reconnect", "connect, echo, close", "1.00", "1.0")
    row("line", "line mode, 100 connections", "0.85", "-")
    print ""
    print "| CPU a message, us | 10 connections | 100 | 1,000 | 5,000 | growth, target at most 1.5 |"
    print "|---|---|---|---|---|---|"
    cost_row("ours", "ours")
    cost_row("floor", "floor")
    cost_row("libuv", "libuv")
    cost_row("libuv-tuned", "libuv tuned")
    cost_row("libevent", "libevent")
    print ""
    print "| messages/s of the server, under echo-client / under a bare epoll generator | 1 connection | 10 | 100 | 500 |"
    print "|---|---|---|---|---|"
    printf "| target: at least 0.9"
    for (i = 1; i <= 4; i++)
        printf " | %s", fixed(ratio(rate, few[i], "ours", "bare"), "%.2f")
    print " |"
    print ""
    print "| | ours | floor | libuv | libuv tuned | libevent | plain select | ours, polled |" \
        " ours, a queue of 10 signals | target |"
    print "|---|---|---|---|---|---|---|---|---|---|"
    fact_row("calls", 1, "system calls a message, 100 connections", "2.05", 1)
    fact_row("memory", 1, "resident bytes for an idle connection, of 10,000", "160", 1)
    fact_row("flood", 1, "MiB taken by 1,000 writers that never read", "66.5", 1024)
    fact_row("asleep", 1, "CPU while nothing happens, ms a second", "0", 0.1)
    fact_row("asleep", 2, "wake-ups a second then", "0", 1)
    fact_row("alone-9000", 1, "waking beside 9,000 idle, p50, ms", of_floor("alone-9000", 1, 1.5, 100), 1e3)
    fact_row("alone-9000", 2, "the same, p99, ms", of_floor("alone-9000", 2, 1.5, 100), 1e3)
    fact_row("wake", 1, "waking beside 10 busy and 9,000 idle, p50, ms", "-", 1e3)
    fact_row("wake", 2, "the same, p99, ms", of_floor("wake", 2, 2, 500), 1e3)
    fact_row("join", 1, "connect and first echo beside them, p50, ms", "-", 1e3)
    fact_row("join", 2, "the same, p99, ms", of_floor("join", 2, 2, 500), 1e3)
    fact_row("burst", 3, "10,000 idle that wake up at once, the last answer, ms", "-", 1e3)
    fact_row("sparse", 1, "CPU for 5,000 that send once a second, ms a second", of_floor("sparse", 1, 1.5, 0, ticks / 1e3), ticks / 1e3)
    fact_row("fair", 2, "100 that ping beside one that streams, p99, ms", "2", 1e3)
    fact_row("fair", 5, "pings not answered", "0", 1)
    fact_row("fair", 6, "what the one streams, MB/s", "-", 1e6)
}

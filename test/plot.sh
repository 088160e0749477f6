#!/bin/sh
# Runs a short load with the programs in build/ (or the folder that is given), whose server is killed
# and started again, and draws what it reports, as docs/measuring.md says. Fails unless the drawing
# has all that was reported. Draws one of which nothing was answered, too.
set -eu

programs=${1:-build}
work=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$work"' EXIT

# start PORT: a server, and its port.
start() {
    : >"$work/ready"
    "$programs/echo-server" --quiet --port "$1" --bind 127.0.0.1 >"$work/ready" 2>/dev/null &
    server=$!
    until grep -q listening "$work/ready"; do
        kill -0 $server # ends this script when the server has ended
        sleep 0.1
    done
    port=$(sed 's/.*://' "$work/ready")
}

# wait_for TEXT: until a line of the report has it.
wait_for() {
    until tail -n 1 "$work/report" | grep -q "$1"; do
        kill -0 $client
        sleep 0.1
    done
}

# draw REPORT: draws it as REPORT.svg.
draw() {
    # gnuplot warns of what it cannot read, and its status may be 0.
    gnuplot -c docs/plot.gnuplot "$1" >"$1.svg" 2>"$work/warnings" ||
        echo "gnuplot has failed" >>"$work/warnings"
    if [ -s "$work/warnings" ]; then
        cat "$work/warnings"
        exit 1
    fi
    tail -n 2 "$1.svg" | grep -q '</svg>'
}

start 0
"$programs/echo-client" --load --json --report 0.2 --keep-going --rate 500 --duration 1000 \
    127.0.0.1 "$port" >"$work/report" &
client=$!
wait_for '"count":[1-9]'
kill -9 $server
wait_for '"count":0'
start "$port"
wait_for '"count":[1-9]'
kill $client
if wait $client; then
    echo "a load with an outage has passed"
    exit 1
fi

awk -f docs/plot.awk "$work/report" >"$work/rows"
draw "$work/report"
[ "$(grep -c '"type":"interval"' "$work/report")" -eq "$(wc -l <"$work/rows")" ]
# What each row is like, and that there was an outage, and time before and after it.
time='[-0-9]+T[:0-9.]+Z'
if grep -vE "^$time( [0-9.]+){4} [01] [0-9]+\$|^$time 0\.000 - - - [01] [0-9]+\$" "$work/rows"; then
    exit 1
fi
awk '$3 == "-" { gap = NR } $3 != "-" { if (gap) after = 1; else before = 1 }
    END { exit !(gap && before && after) }' "$work/rows"

# Nobody listens at port 1.
if "$programs/echo-client" --load --json --report 0.1 --keep-going --duration 0.5 127.0.0.1 1 \
    >"$work/unanswered"; then
    echo "a load without an answer has passed"
    exit 1
fi
draw "$work/unanswered"

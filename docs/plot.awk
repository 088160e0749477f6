# Makes columns of the lines that `echo-client --load --report SECONDS --json` prints:
#   awk -f docs/plot.awk soak.json
# Each interval has a row: when it ended, messages per second, the median, the 99th percentile and
# the maximum of its round trips in milliseconds, how many connections were open at its end, and how
# many were lost or could not be made. Where nothing was answered, "-" stands for the times.

# The number behind a key. Each key stands once in a line.
function number(key) {
    match($0, "\"" key "\":[0-9.]+")
    return substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 3)
}

function milliseconds(key) {
    return number("messages_answered") > 0 ? number(key) / 1000 : "-"
}

/"type":"interval"/ {
    match($0, /"ended_at":"[^"]*/)
    print substr($0, RSTART + 12, RLENGTH - 12), number("messages_per_second"),
        milliseconds("p50_us"), milliseconds("p99_us"), milliseconds("max_us"),
        number("connections_open"), number("connections_lost") + number("connections_failed")
}

# Reads a log of echo-server from its beginning to its end, which a request to stop was. Each line
# is whole, and one of those in docs/protocol.md that clients who come and go can cause; connections
# are opened and closed in turn; the summary has the sums of the lines. Prints "LINES CONNECTIONS
# BLOCKED", the last one of them those that did not take all their answers; or what is wrong, with
# status 1.
#   awk -v mode=echo|line -f test/soak/log.awk LOG
BEGIN {
    stamp = "^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9],"
    client = "\\[127\\.0\\.[0-9]+\\.[0-9]+:[0-9]+\\]"
    counts = "(1 byte|[0-9]+ bytes) in, (1 byte|[0-9]+ bytes) out, (1 message|[0-9]+ messages), "
    counts = counts "[0-9]+\\.[0-9][0-9][0-9] seconds$"
    opened_line = "^Connection opened" client "$"
    received_line = "^Recv From Client" client ":[^[:cntrl:]]*$"
    closed_line = "^Connection closed" client ":(end of stream|quit|line too long|reset); " counts
    unfinished = mode == "line" ? 65536 : 0 # what may be a line without its end
    started_line = "^Started: mode " mode ", no limit of clients, at most [0-9]+ descriptors, "
    started_line = started_line "[^;]+$"
    stopped_line = "^Stopped: [0-9]+ connections served, " counts
}

function wrong(why) {
    if (++faults <= 10)
        print "line " NR " of the log: " why (why ~ /:$/ ? " " $0 : "")
}

function has_ended() {
    if (stopped)
        wrong("after the summary:")
}

# The address in the first brackets of the line.
function address() {
    match(text, /\[[^\]]*\]/)
    return substr(text, RSTART, RLENGTH)
}

# "5 bytes in, 7 bytes out, 1 message, ..." into number[1] to [3]
function read_counts(from) {
    split(substr(text, index(text, from) + length(from)), number, ", ")
    for (i = 1; i <= 3; i++)
        number[i] += 0
}

{
    if ($0 !~ stamp)
        wrong("without a time:")
    text = substr($0, 21)
    has_ended()
}
text ~ opened_line {
    if (address() in open)
        wrong("opened twice:")
    open[address()]
    opened++
    next
}
text ~ received_line {
    if (!(address() in open))
        wrong("from a client that is not connected:")
    received++
    next
}
text ~ closed_line {
    if (!(address() in open))
        wrong("closed, and was not open:")
    delete open[address()]
    closed++
    read_counts("; ")
    for (i = 1; i <= 3; i++)
        sum[i] += number[i]
    blocked += text !~ /line too long/ && number[1] - number[2] > unfinished
    next
}
text ~ started_line && NR == 1 { next }
text == "Stopping: 0 connections to finish" { stopping++; next }
text ~ stopped_line {
    stopped = 1
    split(text, word, " ")
    read_counts("served, ")
    if (word[2] != closed || number[1] != sum[1] || number[2] != sum[2] || number[3] != sum[3])
        wrong(sprintf("the lines before make %.0f connections, %.0f bytes in, %.0f bytes out, " \
            "%.0f messages:", closed, sum[1], sum[2], sum[3]))
    next
}
{ wrong("unexpected:") }

END {
    for (one in open)
        left++
    if (left || opened != closed)
        wrong(opened + 0 " connections were opened, " closed + 0 " closed")
    if (received + 0 != (mode == "line" ? sum[3] : 0))
        wrong(received + 0 " messages were logged")
    if (stopping != 1 || !stopped)
        wrong("it does not end with a stop without connections, and the summary")
    if (!faults)
        print NR, closed, blocked + 0
    exit faults > 0
}

# How long one that wakes up waits for its answer, against the number of idle connections beside it,
# as SVG, from what test/bench/run.sh measured: awk -f chart.awk FACTS. Both scales are logarithmic.

# Where a value is drawn.
function x(i) {
    return left + (i - 1) * (right - left) / (points - 1)
}
function y(value) {
    return bottom - log(value / least) / log(most / least) * (bottom - top)
}

function text(at_x, at_y, anchor, words) {
    printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", at_x, at_y, anchor, words
}

function line(x1, y1, x2, y2, colour, width) {
    printf "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"%s\" stroke-width=\"%d\"/>\n", x1, y1, x2, y2,
        colour, width
}

# The median over the rounds; sorts by insertion.
function median(key, server,    n, i, j, value, values) {
    n = count[key, server]
    for (i = 1; i <= n; i++) {
        value = delay[key, server, i]
        for (j = i - 1; j > 0 && values[j] > value; j--)
            values[j + 1] = values[j]
        values[j + 1] = value
    }
    return n % 2 ? values[(n + 1) / 2] : (values[n / 2] + values[n / 2 + 1]) / 2
}

function draw(server, place, title, colour,    i, path) {
    for (i = 1; i <= points; i++)
        if (count[keys[i], server] > 0)
            path = path (path == "" ? "M" : "L") \
                sprintf("%.1f %.1f", x(i), y(median(keys[i], server)))
    if (path == "")
        return
    printf "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n", path, colour
    line(left + place * 165, 46, left + place * 165 + 24, 46, colour, 2)
    text(left + place * 165 + 30, 50, "start", title)
}

BEGIN {
    left = 80; right = 690; top = 70; bottom = 350
    least = 10; most = 100000 # microseconds
    points = split("alone-100 alone-1000 alone-3000 alone-9000", keys, " ")
    split("100 1,000 3,000 9,000", labels, " ")
}

$1 ~ /^alone/ {
    value = $4 < least ? least : $4 > most ? most : $4
    delay[$1, $2, ++count[$1, $2]] = value
}

END {
    print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 410\" font-family=\"sans-serif\"" \
        " font-size=\"13\">"
    print "<rect width=\"720\" height=\"410\" fill=\"#fff\"/>"
    text(left, 24, "start", "How long an idle connection that sends waits for its answer (p99), by their number")
    for (value = least; value <= most; value *= 10) {
        line(left, y(value), right, y(value), "#ddd", 1)
        text(left - 8, y(value) + 4, "end", value / 1000 " ms")
    }
    for (i = 1; i <= points; i++)
        text(x(i), bottom + 20, "middle", labels[i])
    text((left + right) / 2, bottom + 44, "middle", "idle connections")
    draw("libuv", 2, "libuv", "#888888")
    draw("select", 3, "select() over all", "#d55e00")
    draw("floor", 1, "hand-written epoll", "#0072b2")
    draw("ours", 0, "echo-server", "#009e73")
    print "</svg>"
}

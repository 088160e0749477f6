# Throughput against idle connections as SVG, from what test/bench/run.sh measured: awk -f chart.awk RUNS

# Where a value is drawn.
function x(i) {
    return left + (i - 1) * (right - left) / (points - 1)
}
function y(value) {
    return bottom - value / top_value * (bottom - top)
}

function text(at_x, at_y, anchor, words) {
    printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", at_x, at_y, anchor, words
}

function line(x1, y1, x2, y2, colour, width) {
    printf "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"%s\" stroke-width=\"%d\"/>\n", x1, y1, x2, y2,
        colour, width
}

# The median of a case's runs; sorts by insertion.
function median(name, server,    n, i, j, value, values) {
    n = count[name, server]
    for (i = 1; i <= n; i++) {
        value = rate[name, server, i]
        for (j = i - 1; j > 0 && values[j] > value; j--)
            values[j + 1] = values[j]
        values[j + 1] = value
    }
    return n % 2 ? values[(n + 1) / 2] : (values[n / 2] + values[n / 2 + 1]) / 2
}

function draw(server, place, title, colour,    i, path) {
    for (i = 1; i <= points; i++)
        if (count[cases[i], server] > 0)
            path = path (path == "" ? "M" : "L") \
                sprintf("%.1f %.1f", x(i), y(median(cases[i], server)))
    if (path == "")
        return
    printf "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n", path, colour
    line(left + place * 165, 46, left + place * 165 + 24, 46, colour, 2)
    text(left + place * 165 + 30, 50, "start", title)
}

BEGIN {
    left = 70; right = 690; top = 70; bottom = 350
    points = split("10 idle-100 idle-1000 idle-3000 idle-9000", cases, " ")
    split("0 100 1,000 3,000 9,000", labels, " ")
}

{
    rate[$1, $3, ++count[$1, $3]] = $4 + 0
    if (($1 == "10" || $1 ~ /^idle/) && $4 > most)
        most = $4
}

END {
    step = most > 250000 ? 100000 : most > 100000 ? 50000 : 20000
    top_value = (int(most / step) + 1) * step
    print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 410\" font-family=\"sans-serif\"" \
        " font-size=\"13\">"
    print "<rect width=\"720\" height=\"410\" fill=\"#fff\"/>"
    text(left, 24, "start", "Messages a second on 10 busy connections, by the number of idle ones beside them")
    for (value = 0; value <= top_value; value += step) {
        line(left, y(value), right, y(value), "#ddd", 1)
        text(left - 8, y(value) + 4, "end", value == 0 ? 0 : value / 1000 ",000")
    }
    for (i = 1; i <= points; i++)
        text(x(i), bottom + 20, "middle", labels[i])
    text((left + right) / 2, bottom + 44, "middle", "idle connections")
    draw("libuv", 2, "libuv", "#888888")
    draw("select", 3, "plain select()", "#d55e00")
    draw("floor", 1, "hand-written epoll", "#0072b2")
    draw("ours", 0, "echo-server", "#009e73")
    print "</svg>"
}

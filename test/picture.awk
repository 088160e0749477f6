# Two windows of a terminal as SVG, one above the other, from what was shown in them: awk -v
# server=COMMAND -v client=COMMAND -f picture.awk SERVER CLIENT. See picture.sh.

function escaped(words) {
    gsub(/&/, "\\&amp;", words)
    gsub(/</, "\\&lt;", words)
    return words
}

# A row of a window. Of a longer line the rest goes to the next row, as on a terminal.
function show(window, words) {
    do {
        rows[window, ++count[window]] = substr(words, 1, columns)
        words = substr(words, columns + 1)
    } while (words != "")
}

# Of a line that was drawn more than once, what was drawn last.
function last_drawn(words) {
    sub(/\r+$/, "", words)
    gsub(/\033\[\?2004[hl]/, "", words)
    sub(/.*\r/, "", words)
    gsub(/\033\[[0-9;]*[A-Za-z]/, "", words)
    return words
}

function draw(window, title, top,    height, row) {
    height = 30 + count[window] * line_height + 8
    printf "<rect x=\"1\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\" fill=\"#1c2128\" " \
        "stroke=\"#57606a\"/>\n", top, width - 2, height
    printf "<text x=\"%d\" y=\"%d\" fill=\"#8b949e\">%s</text>\n", margin, top + 17, escaped(title)
    for (row = 1; row <= count[window]; row++)
        printf "<text x=\"%d\" y=\"%d\" fill=\"%s\">%s</text>\n", margin,
            top + 24 + row * line_height, rows[window, row] ~ /^[$>] / ? "#7ee787" : "#e6edf3",
            escaped(rows[window, row])
    return top + height + 10
}

BEGIN {
    columns = 120
    line_height = 17
    margin = 12
    width = 2 * margin + columns * 7.25
    show(1, "$ " server)
    show(2, "$ " client)
}

FNR == 1 {
    window++
}

{
    show(window, last_drawn($0))
}

END {
    height = 2 * (38 + 10) + (count[1] + count[2]) * line_height - 8
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" " \
        "font-family=\"ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" " \
        "font-size=\"12\" xml:space=\"preserve\">\n", width, height
    print "<title>A session: echo-server answers the lines that are typed into echo-client</title>"
    draw(2, "the client", draw(1, "the server", 1))
    print "</svg>"
}

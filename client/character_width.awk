# Makes client/character_width_table.h from two files of the Unicode Character Database:
#
#   awk -f character_width.awk UnicodeData.txt EastAsianWidth.txt >character_width_table.h
#
# Characters that take no column: marks (Mn, Me), format controls (Cf) but the soft hyphen, and the vowels and final
# consonants of Hangul, which join the consonant before them. Two columns: East Asian Wide and Fullwidth.

function number(hexadecimal,    i, value) {
    value = 0
    for (i = 1; i <= length(hexadecimal); i++)
        value = value * 16 + index("0123456789ABCDEF", substr(hexadecimal, i, 1)) - 1
    return value
}

function show(name, what, width,    code, first, row) {
    printf "\n/* %s. */\nstatic const struct character_range %s[] = {\n", what, name
    row = "   "
    first = -1
    for (code = 0; code <= 1114112; code++) {
        if ((code in columns) && columns[code] == width) {
            if (first < 0)
                first = code
        } else if (first >= 0) {
            item = sprintf(" {0x%X, 0x%X},", first, code - 1)
            if (length(row) + length(item) > 100) {
                print row
                row = "   "
            }
            row = row item
            first = -1
        }
    }
    print row "\n};"
}

FILENAME ~ /EastAsianWidth/ && FNR == 1 { match($0, /[0-9]+\.[0-9]+\.[0-9]+/); version = substr($0, RSTART, RLENGTH) }

FILENAME ~ /UnicodeData/ {
    split($0, field, ";")
    if ((field[3] == "Mn" || field[3] == "Me" || field[3] == "Cf") && field[1] != "00AD")
        columns[number(field[1])] = 0
}

FILENAME ~ /EastAsianWidth/ && /^[0-9A-F]/ {
    split($0, part, /[;# ]+/)
    if (part[2] != "W" && part[2] != "F")
        next
    if (split(part[1], range, /\.\./) == 1)
        range[2] = range[1]
    for (code = number(range[1]); code <= number(range[2]); code++)
        if (!(code in columns))
            columns[code] = 2
}

END {
    for (code = 4448; code <= 4607; code++) # U+1160 to U+11FF
        columns[code] = 0
    print "/* Made from Unicode " version " by character_width.awk; not to be edited. */"
    show("no_column", "Marks, format controls, and the parts of a Hangul syllable after the first", 0)
    show("two_columns", "East Asian Wide and Fullwidth", 2)
}

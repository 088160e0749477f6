# Generates client/editor/character_width_table.h, which is committed after clang-format, from three
# files of the Unicode Character Database, in this order:
#
#   awk -f character_width.awk UnicodeData.txt EastAsianWidth.txt GraphemeBreakProperty.txt \
#       >character_width_table.h
#   clang-format -i character_width_table.h
#
# No column: marks (Mn, Me), format controls (Cf) except for the soft hyphen and those drawn before
# the next character (Prepend), and the vowels and final consonants of Hangul, which join the
# consonant before them. Two columns: East Asian Wide and Fullwidth, and as in glibc the circled
# numbers on black squares and the hexagrams. One column: all others, including spacing marks (Mc).

function number(hexadecimal,    i, value) {
    value = 0
    for (i = 1; i <= length(hexadecimal); i++)
        value = value * 16 + index("0123456789ABCDEF", substr(hexadecimal, i, 1)) - 1
    return value
}

# Reads "1160..11A7 ; V # comment" or "AD;A # comment" into `first`, `last` and `property`.
function read_range(    part, range) {
    split($0, part, /[;# ]+/)
    property = part[2]
    if (split(part[1], range, /\.\./) == 1)
        range[2] = range[1]
    first = number(range[1])
    last = number(range[2])
}

function show(name, what, set, value,    code, start, row, item) {
    printf "\n/* %s. */\nstatic const struct character_range %s[] = {\n", what, name
    row = "   "
    start = -1
    for (code = 0; code <= 1114112; code++) {
        if ((code in set) && set[code] == value) {
            if (start < 0)
                start = code
        } else if (start >= 0) {
            item = sprintf(" {0x%X, 0x%X},", start, code - 1)
            if (length(row) + length(item) > 100) {
                print row
                row = "   "
            }
            row = row item
            start = -1
        }
    }
    print row "\n};"
}

FILENAME ~ /UnicodeData/ {
    split($0, field, ";")
    if ((field[3] == "Mn" || field[3] == "Me" || field[3] == "Cf") && field[1] != "00AD")
        columns[number(field[1])] = 0
}

FILENAME ~ /EastAsianWidth/ && FNR == 1 {
    match($0, /[0-9]+\.[0-9]+\.[0-9]+/)
    version = substr($0, RSTART, RLENGTH)
}

FILENAME ~ /EastAsianWidth/ && /^[0-9A-F]/ {
    read_range()
    for (code = first; code <= last; code++)
        if (!(code in columns) && (property == "W" || property == "F"))
            columns[code] = 2
}

FILENAME ~ /GraphemeBreakProperty/ && /^[0-9A-F]/ {
    read_range()
    for (code = first; code <= last; code++) {
        if (property == "V" || property == "T")
            columns[code] = 0
        else if (property == "Prepend")
            delete columns[code]
        else if ((property == "SpacingMark" || property == "Extend") && \
                 (!(code in columns) || columns[code] > 0))
            joins[code] = 1
    }
}

END {
    for (code = number("3248"); code <= number("324F"); code++)
        columns[code] = 2
    for (code = number("4DC0"); code <= number("4DFF"); code++)
        columns[code] = 2
    print "/* Made from Unicode " version " by character_width.awk; not to be edited. */"
    show("no_column", "Marks, format controls, and the parts of a Hangul syllable after the first",
         columns, 0)
    show("two_columns", "East Asian Wide and Fullwidth, and others that are wide in glibc",
         columns, 2)
    show("spacing_marks",
         "Characters with columns that join the one before them: SpacingMark, Extend", joins, 1)
}

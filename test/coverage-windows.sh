#!/bin/sh
# Prints how many of the lines that are only built for Windows were reached; called by
# `make coverage-windows`.
#   test/coverage-windows.sh FOLDER GCOV
# FOLDER has a build whose programs wrote what they ran beside their objects.
set -eu

# Those of the tests as well, of which some include what they test.
files=$(find "$1/obj" -name '*_win32.gcda')
# shellcheck disable=SC2086 # words
"$2" -n $files 2>/dev/null | awk -F "'" '
    function show(name, reached, lines) {
        printf "%-36s %4d of %4d lines, %6.2f %%\n", name, reached, lines, 100 * reached / lines
    }
    /^File / { file = $2 }
    /^Lines executed:/ && file ~ /^(common|server|client)\/.*_win32\.c$/ {
        split($0, part, /[:% ]+/)
        reached = int(part[3] * part[5] / 100 + 0.5)
        show(file, reached, part[5])
        all_reached += reached
        all_lines += part[5]
        file = ""
    }
    END {
        show("total", all_reached, all_lines)
        print "not counted: what only programs reached that were killed or that crashed"
    }'

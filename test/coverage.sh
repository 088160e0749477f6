#!/bin/sh
# What the tests have reached of common/, server/ and client/; called by `make coverage`.
#   test/coverage.sh FOLDER
# FOLDER has a build whose programs wrote what they ran to FOLDER/profile. Writes FOLDER/html, and
# prints how many lines and branches of each folder were reached.
#
# test/coverage.txt lists the lines that no test can reach, an entry for each run of such lines:
#   PATH <tab> TEXT OF ITS FIRST LINE <tab> REASON
# Status 1 for a line that was not reached and is not listed, for an entry whose line was reached or
# does not exist, and below 95 % of the branches.
set -eu

folder=$1
list=test/coverage.txt
least_branches=95

# llvm_tool NAME: the one that belongs to the compiler.
llvm_tool() {
    ${CC:-clang} -print-prog-name="$1"
}

"$(llvm_tool llvm-profdata)" merge -o "$folder/merged" "$folder"/profile/*
sources=$(git ls-files common server client | grep '\.[ch]$' | grep -v '_win32\.c$')

# Programs and tests: the first, then each other one as an option.
set --
for program in "$folder"/echo-* "$folder"/torture/echo-* "$folder"/test/test_*; do
    case $program in *.log | *.d) continue ;; esac
    [ $# -gt 0 ] && set -- "$@" -object
    set -- "$@" "$program"
done

# with_llvm COMMAND [OPTION]...: llvm-cov on all of that.
programs=$(printf ' %s' "$@")
with_llvm() {
    # shellcheck disable=SC2086 # words: paths in this repository, which have no spaces
    "$(llvm_tool llvm-cov)" "$@" $programs -instr-profile="$folder/merged" $sources \
        2>>"$folder/messages"
}
: >"$folder/messages"
rm -rf "$folder/html"
with_llvm show -format=html -show-branches=count -output-dir="$folder/html"
with_llvm export -format=lcov >"$folder/lines.info"

awk -v root="$PWD/" -v list="$list" -v least="$least_branches" '
    function percent(part, whole) { return whole ? 100 * part / whole : 100 }
    function show(name) {
        printf "%-18s %5d of %5d lines, %6.2f %%; %5d of %5d branches, %6.2f %%\n", name,
            reached[name], lines[name], percent(reached[name], lines[name]),
            taken[name], branches[name], percent(taken[name], branches[name])
    }
    function wrong(text) { print list ": " text; failed = 1 }
    function read_source(line, i) {
        split("", text)
        for (i = 1; (getline line <path) > 0; i++) {
            gsub(/^[ \t]+|[ \t\r]+$/, "", line)
            text[i] = line
        }
        close(path)
    }

    BEGIN {
        FS = "\t"
        while ((getline <list) > 0) {
            if ($0 ~ /^(#|$)/)
                continue
            if (NF != 3 || $3 == "")
                wrong("not PATH, TEXT and REASON: " $0)
            else
                listed[$1 FS $2]++
        }
        FS = ","
    }
    /^SF:/ {
        path = substr($0, 4)
        if (index(path, root) == 1)
            path = substr(path, length(root) + 1)
        folder = path
        sub(/\/[^\/]*$/, "", folder)
        if (!(folder in lines))
            folders[++folder_count] = folder
        read_source()
        last = -1
    }
    /^DA:/ {
        number = substr($1, 4) + 0
        lines[folder]++
        lines["total"]++
        if ($2 > 0) {
            reached[folder]++
            reached["total"]++
            next
        }
        key = path "\t" text[number]
        if (number != last + 1) {
            if (listed[key] > 0) {
                listed[key]--
                excused = 1
            } else {
                excused = 0
            }
        }
        last = number
        unreached += excused
        if (!excused) {
            print path ":" number ": not reached: " text[number]
            failed = 1
        }
    }
    /^BRF:/ {
        branches[folder] += substr($0, 5)
        branches["total"] += substr($0, 5)
    }
    /^BRH:/ {
        taken[folder] += substr($0, 5)
        taken["total"] += substr($0, 5)
    }
    END {
        for (key in listed) {
            if (listed[key] > 0) {
                split(key, part, "\t")
                wrong("reached, or not there: " part[1] ": " part[2])
            }
        }
        for (i = 1; i <= folder_count; i++)
            show(folders[i])
        show("total")
        printf "%d lines that no test can reach are listed in %s\n", unreached, list
        if (percent(taken["total"], branches["total"]) < least) {
            printf "fewer than %d %% of the branches\n", least
            failed = 1
        }
        exit failed
    }' "$folder/lines.info"

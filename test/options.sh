#!/bin/sh
# test/options.sh BUILD: compares the options that --help shows with those that README.md and the
# manual page describe: short and long names everywhere, in README.md also what a value is called.
# Prints what only one side has; status 1 when there is any.
set -eu
build=$1

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

# compare NAME OTHER: two files in $work, in any order. A line of NAME that OTHER lacks has a "-".
compare() {
    sort -u "$work/$1" >"$work/left"
    sort -u "$work/$2" >"$work/right"
    diff "$work/left" "$work/right" >"$work/difference" && return
    echo "$program: - stands in $1 only, + in $2 only"
    sed -n 's/^</  -/p; s/^>/  +/p' "$work/difference"
    status=1
}

for program in echo-server echo-client; do
    "$build/$program" --help >"$work/text"
    # "-p --port N" here, and without the value's name in "options".
    sed -n 's/^ *\(-.,\)\{0,1\} *\(--[a-z0-9-]*\)\( [^ ][^ ]*\)\{0,1\}  .*/\1 \2\3/p' "$work/text" |
        sed 's/,//; s/^ *//' >"$work/--help"
    cut -d ' ' -f 1-2 "$work/--help" | sed 's/^\(--[a-z0-9-]*\) .*/\1/' >"$work/options"

    # shellcheck disable=SC2016 # the backticks are those of README.md
    # Rows such as: | `-p`, `--port N` | port to listen on | 9901 |
    awk -v program="$program" '/^## / { here = $2 == program } here && /^\| `-/' README.md |
        sed 's/\\|/!/g; s/^| //; s/ | .*//; s/, `--/; --/g; s/\(^\|; \)`\(-.\)`; --/\1`\2 --/g' |
        tr ';' '\n' | tr -d '\140' | tr '!' '|' | sed 's/^ *//' >"$work/README.md"

    # .It Fl p , Fl -port Ar port
    page=docs/$program.1
    sed -n '/^\.It Fl/{s/^\.It Fl \([a-zA-Z0-9]\) , Fl -\([a-z0-9-]*\).*/-\1 --\2/;s/^\.It Fl -/--/;p;}' \
        "$page" | sed 's/ , Fl -/\n--/g' | sed 's/^\(--[a-z0-9-]*\) .*/\1/' >"$work/manual"
    # Its synopsis has one of the two names: all letters behind "Fl", and words behind "Fl -".
    sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/p' "$page" | grep -oE 'Fl -?[a-zA-Z0-9-]+' |
        sed -n 's/^Fl -\([a-z]\)/--\1/p; /^Fl [^-]/{s/Fl //;s/./-&\n/g;s/\n$//;p;}' >"$work/synopsis"
    sed 's/^\(-.\) .*/\1/' "$work/options" >"$work/shortest"

    compare --help README.md
    compare options manual
    compare shortest synopsis
done
exit "$status"

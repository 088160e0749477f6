#!/bin/sh
# Runs the proofs of test/prove with Frama-C's Eva; called by `make prove`, which sets LANGUAGE and
# INCLUDES, the compiler's options that are the same everywhere. docs/security.md says what a proof
# shows.
#   test/prove.sh FOLDER [NAME]...
# NAME: only test/prove/NAME.c. Logs are written into FOLDER.
#
# The head comment of a proof has, each on a line of its own and the indented ones after it,
#   run: FUNCTION [OPTION]...   an analysis: FUNCTION is where it begins. The options tell Eva which
#                               cases to keep apart, which functions it knows by what is written of
#                               them (-eva-use-spec), and what it need not look for (-no-warn-...)
#   inputs: TEXT                what it is for; a name of an enum stands for its number
#   assumed: FUNCTION...        what is put in the place of functions, and only stated
#   left out: FUNCTION...       what is not proved of the source that the proof includes
#   not shown: TEXT             what is not proved of the others, and why
set -eu

folder=$1
shift
status=0
mkdir -p "$folder"

command -v frama-c >/dev/null || {
    echo "test/prove.sh: there is no frama-c here; run: make deps-prove" >&2
    exit 1
}

# told WORD FILE: the lines of the head comment that begin with this word, each joined with those
# that go on with it.
told() {
    sed -n '1,/^ \*\//s/^ \* \{0,1\}//p' "$2" |
        awk '/^[a-z ]+: / || !/^ / { if (line != "") print line; line = $0; next }
            { sub(/^ +/, " "); line = line $0 }
            END { print line }' | sed -n "s/^$1: //p"
}

# The functions that a source defines.
functions() {
    sed -n 's/^[a-z][A-Za-z0-9_ ]*[ *]\([a-z][A-Za-z0-9_]*\)(.*[^;]$/\1/p' "$1"
}

# run LOG PROOF FUNCTION [OPTION]...: one analysis. Fails unless it came to its end and left nothing
# open.
# shellcheck disable=SC2086 # words
run() {
    log=$1
    proof=$2
    entry=$3
    shift 3
    frama-c -machdep "$machine" -cpp-extra-args="$LANGUAGE $INCLUDES" -main "$entry" \
        -kernel-warn-key annot:missing-spec=abort -warn-unsigned-overflow \
        -eva -eva-no-print -eva-no-show-progress \
        -eva-alloc-builtin fresh -eva-no-alloc-returns-null "$@" "$proof" \
        -then -metrics -metrics-eva-cover >"$log" 2>&1 &&
        grep -q '^  0 alarms generated' "$log" &&
        grep -q '^  100% of the logical properties reached have been proven' "$log" &&
        grep -q "^  $entry: .*(100.0%)" "$log" &&
        ! grep 'assumed to be dead' "$log"
}

# prove PROOF: all its runs, and whether these have reached all statements of what is proved.
prove() {
    proof=$1
    name=$(basename "$proof" .c)-$machine
    left_out=$(told 'left out' "$proof")
    rm -f "$folder/$name".*.log

    told run "$proof" >"$folder/$name.runs"
    while read -r entry options; do
        # shellcheck disable=SC2086 # words
        run "$folder/$name.$entry.log" "$proof" "$entry" $options || {
            grep -A 3 -E 'alarm\]|Error|unknown|invalid' "$folder/$name.$entry.log" || true
            echo "$proof: FAILED: $entry, see $folder/$name.$entry.log"
            return 1
        }
    done <"$folder/$name.runs"

    sed -n '/ stmts out of /p' "$folder/$name".*.log >"$folder/$name.reached"
    sources=$(sed -n 's|^#include "../../\(.*\.c\)"|\1|p' "$proof")
    for source in $sources; do
        functions "$source"
    done | awk -v left_out=" $left_out " '
        NR == FNR { sub(":", "", $1); n = $2; m = $6; of[$1] = m; if (n == m) all[$1] = 1; next }
        index(left_out, " " $1 " ") { next }
        !all[$1] { print "not reached, or not as a whole: " $1; failed = 1 }
        { functions++; statements += of[$1] }
        END {
            if (!failed && functions > 0)
                print "proved: " functions " functions, " statements " statements"
            exit failed || functions == 0
        }' "$folder/$name.reached" - >"$folder/$name.result" || {
        cat "$folder/$name.result"
        echo "$proof: FAILED"
        return 1
    }
    echo "$(echo "$sources" | tr '\n' ' ')for $machine: $(cat "$folder/$name.result")"
}

# What is said of a proof, with the numbers for the names.
tell() {
    numbers=$(sed -n '/^enum {/s/[^A-Z]*\([A-Z]*\) = \([0-9]*\)[^A-Z]*/s,\\<\1\\>,\2,g;/gp' "$1")
    for word in inputs assumed 'left out' 'not shown'; do
        told "$word" "$1" | sed -e "$numbers" -e "s/^/    $word: /"
    done
}

# As many proofs at once as there are processors; what one prints stays together.
if [ $# -eq 0 ]; then
    for proof in test/prove/*.c; do
        basename "$proof" .c
    done | xargs -P "$(nproc)" -n 1 "$0" "$folder"
    exit
fi
for name in "$@"; do
    proof=test/prove/$name.c
    report=$folder/$name.report
    for machine in gcc_x86_64 gcc_x86_32; do
        prove "$proof" || status=1
    done >"$report"
    tell "$proof" >>"$report"
    cat "$report"
done
exit "$status"

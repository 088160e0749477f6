#!/bin/sh
# Runs cmocka test programs one after the other and sums up in the last line: "N passed, N failed",
# with ", N skipped" behind it when there were any. Status 1 when a test failed or a program did not
# come to its regular end.
#   test/run.sh PROGRAM...
# WINE: a program to run each with.
# ECHO_SERVER, ECHO_CLIENT: the programs under test, for the tests that start them. One that does not
# start fails the run at once.
set -u

# Far more seconds than any program takes. timeout(1) ends the program together with what it has
# started; at a terminal it has to leave both where Ctrl-C reaches them.
limit=${TEST_LIMIT:-300}
if ! timeout -k 10 "$limit" true 2>/dev/null; then
    within=
elif [ -t 0 ] && timeout --foreground -k 10 "$limit" true 2>/dev/null; then
    within="timeout --foreground -k 10 $limit"
else
    within="timeout -k 10 $limit"
fi

# count LOG STATUS: what a program did, as "PASSED FAILED SKIPPED" and what else was wrong.
count() {
    awk -v status="$2" -v limit="$limit" '
        # How many tests a line speaks of.
        function tests() {
            match($0, /[0-9]+ test\(s\)/)
            return substr($0, RSTART) + 0
        }
        /\[==========\].*Running [0-9]+ test/      { ran += tests(); groups++ }
        /\[==========\].*[0-9]+ test\(s\) run/     { closed++ }
        /\[       OK \]/                           { passed++ }
        /\[  SKIPPED \].*[0-9]+ test\(s\), listed/ { skipped += tests() }
        /\[  ERROR   \]/                           { errors++ }
        END {
            failed = ran - passed - skipped
            if (status == 124 || status == 137)
                wrong = "did not end within " limit " seconds"
            else if (closed < groups)
                wrong = "ended in the middle"
            else if (!ran)
                wrong = "ran no test"
            else if (!failed && (status || errors))
                wrong = "failed outside of its tests"
            if (wrong != "" && failed < 1)
                failed = 1
            print passed + 0, failed + 0, skipped + 0, wrong (wrong != "" ? ", status " status : "")
        }' "$1"
}

export CMOCKA_MESSAGE_OUTPUT=STDOUT # the format that count() reads
export UBSAN_OPTIONS="${UBSAN_OPTIONS-print_stacktrace=1}"
passed=0
failed=0
skipped=0
begin=${within:+${within% *} 30} # seconds, for what takes milliseconds
for name in echo-server echo-client; do
    variable=$(echo "$name" | tr a-z- A-Z_)
    eval "program=\${$variable-}"
    [ -n "$program" ] || continue
    # shellcheck disable=SC2086,SC2154 # words: nothing, or a command and its arguments; eval sets it
    version=$($begin ${WINE-} "$program" --version 2>&1 </dev/null)
    status=$?
    if [ "$status" -ne 0 ] || [ "${version#"$name "}" = "$version" ]; then
        printf "test/run.sh: %s=%s does not start as %s: --version ended with status %d and " \
            "$variable" "$program" "$name" "$status"
        printf "printed '%s'\n" "$(printf '%s\n' "$version" | head -n 1)"
        set --
    fi
done
for program in "$@"; do
    # shellcheck disable=SC2086 # words: nothing, or a command and its arguments
    $within ${WINE-} "$program" >"$program.log" 2>&1 </dev/null
    status=$?
    # shellcheck disable=SC2046 # words
    set -- $(count "$program.log" "$status")
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
    echo "$program: $1 passed, $2 failed, $3 skipped"
    if [ "$2" -gt 0 ]; then
        cat "$program.log"
        shift 3
        [ $# -eq 0 ] || echo "$program: $*"
    fi
done
[ "$passed" -gt 0 ] || failed=$((failed + 1)) # without a test nothing has been shown
echo "$((passed + failed)) tests ran: $passed passed, $failed failed; $skipped skipped"
[ "$failed" -eq 0 ]

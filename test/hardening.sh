#!/bin/sh
# Says what each program is protected by, and fails when something is missing.
#   test/hardening.sh PROGRAM...
# OBJDUMP: objdump for the programs.
set -eu

status=0
command -v readelf >/dev/null || { echo "test/hardening.sh: there is no readelf here"; exit 1; }

# expect PROGRAM WHAT PATTERN: the dump of the program has a line like that.
expect() {
    if grep -qE -e "$3" "$dump"; then
        echo "$1: $2"
    else
        echo "$1: MISSING: $2"
        status=1
    fi
}

dump=$(mktemp)
trap 'rm -f "$dump"' EXIT
for program in "$@"; do
    case $program in
    *.exe)
        "${OBJDUMP:-objdump}" -p "$program" >"$dump"
        expect "$program" 'addresses at random (DYNAMICBASE)' '^[[:space:]]*DYNAMIC_BASE'
        expect "$program" 'in 64 bits (HIGHENTROPYVA)' '^[[:space:]]*HIGH_ENTROPY_VA'
        expect "$program" 'no data is run (NXCOMPAT)' '^[[:space:]]*NX_COMPAT'
        ;;
    *)
        readelf -lhdsW "$program" >"$dump"
        expect "$program" 'addresses at random (PIE)' 'Type: *DYN'
        expect "$program" 'no data is run (GNU_STACK)' 'GNU_STACK.* RW '
        expect "$program" 'relocations read-only (RELRO)' 'GNU_RELRO'
        expect "$program" 'and bound at the start (BIND_NOW)' 'BIND_NOW|FLAGS.* NOW'
        # A static program that is stripped does not name what it calls.
        grep -q 'INTERP' "$dump" || continue
        expect "$program" 'a broken stack is noticed' '__stack_chk_fail'
        # musl has no functions that check.
        grep -q 'ld-musl' "$dump" ||
            expect "$program" 'copies are checked (FORTIFY_SOURCE)' '__(mem|str|snprintf|vsnprintf|fprintf)[a-z]*_chk'
        ;;
    esac
done
exit "$status"

#!/bin/sh
# Asks each shell that is installed what it offers on command lines of both programs, and compares
# that with the options that --help shows. Status 1 when there is a difference.
#   test/completions/check.sh BUILD    BUILD: where the programs are
set -eu

build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

# expect LINE [ANSWER]...: what a shell is asked, and what it has to offer.
expect() {
    printf '%s\n' "$1" >>"$work/asked"
    shift
    [ $# -eq 0 ] || printf '%s\n' "$@" | LC_ALL=C sort >>"$work/expected"
    echo >>"$work/expected"
}

# expect_value LINE VALUE: LINE ends with an option whose value --help calls VALUE.
# shellcheck disable=SC2046 # words
expect_value() {
    case $shell,$2 in
    *'|'*) expect "$1" $(echo "$2" | tr '|' ' ') ;;
    pwsh,*) expect "$1" ;; # has no list of hosts
    *,ADDRESS) expect "$1" server.example ;;
    *) expect "$1" ;;
    esac
}

# Writes what the shell is asked, and what it has to offer.
# shellcheck disable=SC2046 # words
write_questions() {
    : >"$work/asked"
    : >"$work/expected"
    for program in echo-server echo-client; do
        expect "$program -" $(cat "$work/$program.names")
        while read -r letter name value; do
            [ "$value" != . ] || continue
            expect_value "$program $name " "$value"
            [ "$letter" = . ] || expect_value "$program $letter " "$value"
            [ "$shell" = pwsh ] || expect_value "$program $name=" "$value"
        done <"$work/$program"
    done
}

# Without a PowerShell: only whether its scripts have the names of all options.
compare_names() {
    for program in echo-server echo-client; do
        grep -oE "'--?[a-zA-Z0-9-]+'" "docs/completions/powershell/$program.ps1" | tr -d "'" |
            LC_ALL=C sort | diff "$work/$program.names" - || return
    done
}

for program in echo-server echo-client; do
    # Rows such as "-m --mode echo|line|chunk". "." stands for what there is not.
    "$build/$program" --help | sed -n \
        -e 's/^      --/  ., --/' \
        -e 's/^  \(.*\), \(--[a-z0-9-]*\) \([^ ][^ ]*\)  .*/\1 \2 \3/p' \
        -e 's/^  \(.*\), \(--[a-z0-9-]*\)  .*/\1 \2 ./p' >"$work/$program"
    cut -d ' ' -f 1-2 "$work/$program" | tr ' ' '\n' | grep -e - | LC_ALL=C sort \
        >"$work/$program.names"
done

for shell in bash zsh fish pwsh; do
    case $shell in
    pwsh) folder=powershell script=ask.ps1 ;;
    *) folder=$shell script=ask.$shell ;;
    esac
    write_questions
    if ! command -v $shell >/dev/null; then
        echo "left out: the completions in $shell, which is not installed"
        [ $shell != pwsh ] || compare_names || status=1
    elif
        "test/completions/$script" "docs/completions/$folder" <"$work/asked" >"$work/offered"
        diff "$work/expected" "$work/offered"
    then
        echo "$shell: right on $(wc -l <"$work/asked") command lines"
    else
        echo "$shell: WRONG: < is what --help has, > is what is offered"
        status=1
    fi
done
exit "$status"

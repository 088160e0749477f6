#!/usr/bin/env bash
# Prints what bash offers for each line of its standard input, and then an empty line.
#   test/completions/ask.bash FOLDER    FOLDER: with the completions for it
for script in "$1"/*; do
    # shellcheck disable=SC1090 # made by completions.c
    source "$script"
done
HOSTFILE=$(mktemp)
trap 'rm "$HOSTFILE"' EXIT
echo 127.0.0.1 server.example >"$HOSTFILE"
while IFS= read -r line; do
    # A space begins a word, and "=" is one (COMP_WORDBREAKS).
    # shellcheck disable=SC2206
    COMP_WORDS=(${line//=/ = })
    [[ $line != *' ' ]] || COMP_WORDS+=('')
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    COMPREPLY=()
    [[ $(complete -p "${COMP_WORDS[0]}") =~ -F\ ([^ ]*) ]]
    "${BASH_REMATCH[1]}"
    printf '%s\n' "${COMPREPLY[@]}" | sed '/^$/d' | LC_ALL=C sort -u
    echo
done

#!/bin/sh
# Draws a short session of the two programs in build/ (or the folder that is given) as SVG, on
# stdout. Both are run at a terminal, which script(1) of util-linux makes.
set -eu

programs=$(cd "${1:-build}" && pwd)
PATH=$programs:$PATH
# A picture is drawn for everybody: in English, with the editing of lines.
export PATH TERM=xterm LC_ALL=C.UTF-8

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkfifo "$work/keys"

# at_terminal COMMAND: what it shows, while stdin is typed.
at_terminal() {
    script -q -e -c "$1" /dev/null
}

serve='echo-server --mode line'
at_terminal "$serve" <"$work/keys" >"$work/server" &
exec 3>"$work/keys"
until grep -q '::1.*:9901' "$work/server"; do
    kill -0 $! # ends this script when the server has ended
    sleep 0.1
done

{
    for line in hello 'what about 中文?' quit; do
        sleep 1
        printf '%s\r' "$line"
    done
    sleep 1
} | at_terminal echo-client >"$work/client"

printf '\003' >&3
wait $!
exec 3>&-

awk -v server="$serve" -v client=echo-client -f test/picture.awk "$work/server" "$work/client"

#!/usr/bin/env bash
# Runs the commands of docs/tutorial/ that break its steps, each against its step, which it has to
# break in the way that the text says, and against all later ones and the programs themselves, which
# have to hold. Prints a table of both, and fails where a cell is not as it should be.
#   test/tutorial/matrix.sh BUILD TUTORIAL...
# BUILD: where the steps are, which run under $WINE if it is set; the client that breaks them is the
# one of build/. TUTORIAL: a text that has to quote each command.
#
# Commands stand in single quotes as in the text, and functions are called by names that are made.
# shellcheck disable=SC2016,SC2317
set -euo pipefail

build=$PWD/$1 texts=("${@:2}")
texts=("${texts[@]/#/"$PWD/"}")
exe=$([ ! -e "$build/echo-server.exe" ] || echo .exe)
run=${WINE:+"$WINE"}
servers=(01-threads 02-select 03-non-blocking 04-partial-sends 05-queues 06-back-pressure
    07-half-close 08-descriptors 09-stopping 10-sets echo-server)
clients=(client-1-2017 client-2-select client-3-console echo-client)

# What can never be right on Windows: stdin is no socket.
never=${exe:+client-2-select}

folder=$(mktemp -d)
server='' wrong=0
ulimit -Sn 4096
clean_up() {
    [ -z "$server" ] || kill -KILL "$server" 2>/dev/null || true
    rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The commands run here, as they stand in the text, and find build/echo-client: the programs with
# the port that the server has got.
mkdir -p "$folder/build/tutorial"
cd "$folder"
head -c 64000000 /dev/zero >build/zeros
export PORT
printf '#!/bin/sh\nexec "%s" "$@" "127.0.0.1:$PORT"\n' "$OLDPWD/build/echo-client" \
    >build/echo-client
for name in "${clients[@]:0:3}"; do
    printf '#!/bin/sh\nexec %s "%s" "$PORT"\n' "$run" "$build/tutorial/$name$exe" \
        >"build/tutorial/$name"
done
printf '#!/bin/sh\nexec %s "%s" "127.0.0.1:$PORT"\n' "$run" "$build/echo-client$exe" \
    >build/tutorial/echo-client
chmod +x build/echo-client build/tutorial/*

# start LIMIT NAME [OPTION]...: starts a server, and sets $server and $PORT. LIMIT: an argument of
# ulimit.
start() {
    local limit=$1 name=$2 program
    shift 2
    program=$build/tutorial/$name$exe
    [ "$name" != echo-server ] || { program=$build/echo-server$exe && set -- --port 0 --quiet "$@"; }
    [ "$name" = echo-server ] || set -- 0
    : >server.out
    # shellcheck disable=SC2086 # words
    (ulimit $limit && exec $run "$program" "$@") >server.out 2>server.err &
    server=$!
    until PORT=$(sed -n 's/^listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' server.out) &&
        [ -n "$PORT" ]; do
        kill -0 "$server" || { cat server.err && exit 1; }
        sleep 0.05
    done
    export server
}

stop() {
    # What a shell says of a process that ended by a signal is no part of the table.
    { kill -KILL "$server" || true; wait "$server" || true; } 2>/dev/null
    server=''
}

# try COMMAND: runs it in a process group of its own, of which nothing is left. Returns its status.
# What it prints is in the file `seen`.
try() {
    local status=0
    setsid timeout 60 bash -c "set -o pipefail; $1" >seen 2>&1 </dev/null &
    local group=$!
    wait "$group" || status=$?
    kill -KILL -- "-$group" 2>/dev/null || true
    return "$status"
}

# fault NUMBER TITLE COMMAND SHOWN [LIMIT] [OPTION]: SHOWN is a pattern for what the step shows when
# it is broken, in the command's output or the server's; OPTION one that echo-server needs.
faults=() title=() command=() shown=() limit=() option=()
fault() {
    faults+=("$1") title+=("$2") command+=("$3") shown+=("$4") limit+=("${5:-}") option+=("${6:-}")
}

# Where all that matters is what the command prints, or how long the log is, and not its status.
holds_1() { grep -qx '0*7' seen; }
holds_2() { grep -q ' 1000 answered' seen; }
holds_7() { [ "$(wc -l <server.err)" -lt 100 ]; }
holds_client-1-2017() { grep -qx 1030 seen; }
holds_client-3-console() { grep -qx 'status 1' seen; }

# cell INDEX COLUMN: prints "holds", "fails" when it fails in the way that is described, or what was
# seen.
cell() {
    local index=$1 status=0 number=${faults[$1]}
    # A fault of a client is tried with the others as well.
    try "${command[index]//"tutorial/$number"/"tutorial/$2"}" || status=$?
    if declare -F "holds_$number" >/dev/null; then
        status=0
        "holds_$number" || status=1
    fi
    if [ "$status" -eq 0 ]; then
        echo holds
    elif [ "$2" = "$never" ] && grep -q 'select: Winsock error 10038' seen; then
        echo fails
    elif grep -qE -- "${shown[index]}" seen server.err; then
        echo fails
    else
        echo "status $status: $(cat seen server.err | tail -n 2 | tr '\n' ' ')"
    fi
}

expect_quoted() {
    for text in "${texts[@]}"; do
        grep -qF -- "$1" "$text" || {
            echo "$text does not quote: $1"
            wrong=1
        }
    done
}

# row INDEX FROM NAME...: one fault against the steps of these names from number FROM on, counted from
# 0. That one fails and the others hold.
row() {
    local index=$1 from=$2 expected found
    shift 2
    expect_quoted "${command[index]}"
    printf '%-52s' "$((from + 1)). ${title[index]}"
    for ((i = 0; i < from; i++)); do
        printf '  %-5s' .
    done
    expected=fails
    for name in "${@:from+1}"; do
        [ "$name" != "$never" ] || expected=fails
        "$prepare" "$index" "$name"
        found=$(cell "$index" "$name")
        stop
        printf '  %-5s' "$found"
        [ "$found" = "$expected" ] || wrong=1
        expected=holds
    done
    echo
}

serve_step() {
    local options=()
    [ "$2" != echo-server ] || read -ra options <<<"${option[$1]}"
    start "${limit[$1]}" "$2" "${options[@]}"
}

serve_client() {
    local options
    read -ra options <<<"${option[$1]}"
    start '' echo-server "${options[@]}"
}

# table PREPARE NAME...: the faults that are there, each of which the step of its number has.
table() {
    prepare=$1
    shift
    printf '%-52s' fault
    for name in "$@"; do
        printf '  %-5s' "$(expr "$name" : '[a-z-]*\([0-9]*\)' | sed "s/^$/$name/")"
    done
    echo
    for index in "${!faults[@]}"; do
        row "$index" "${step[index]}" "$@"
    done
}

# Under Wine, a reset is not seen, the limits of the shell mean nothing, and a signal is no Ctrl-C.
fault 1 'a message that fills the buffer' \
    "(printf '%01024d' 7; sleep 1) | build/echo-client | tail -c 24" '7127\.0\.0\.1:'
fault 2 '1,100 connections: is anybody answered?' \
    'build/echo-client --load --idle 1100 --count 1000' \
    'FD_SETSIZE on fd_set|connections that were never answered: 1'
[ -n "$exe" ] || fault 3 'a reset connection' \
    'head -c 64000000 /dev/zero | build/echo-client | head -c 1; build/echo-client --ping --count 1' \
    '(recv|send): (Connection reset by peer|Broken pipe)'
fault 4 'one client that does not read' \
    'head -c 64000000 /dev/zero | build/echo-client | sleep 9 & build/echo-client --ping --count 20 --interval 0.1' \
    'lost'
[ -n "$exe" ] || fault 5 'the memory for it' \
    'head -c 1000000000 /dev/zero | build/echo-client | sleep 9 & build/echo-client --ping --count 20 --interval 0.1' \
    'realloc: Cannot allocate memory' '-v 250000'
fault 6 'the end of the input' \
    'build/echo-client <build/zeros | (sleep 1; cmp - build/zeros)' 'cmp: EOF on -'
fault 6 'quit, and input that nobody reads' \
    '(echo quit; cat build/zeros) | build/echo-client' \
    'Connection reset by peer|the server ended the connection before' '' '--mode line'
[ -n "$exe" ] || fault 7 'no descriptor left' \
    'build/echo-client --load --idle 30 --duration 1' 'accept: Too many open files' '-n 20'
[ -n "$exe" ] || fault 8 'a request to stop' \
    'build/echo-client <build/zeros | (sleep 1; kill $server; wc -c)' 'Connection reset by peer'
fault 9 '1,100 connections: are all served?' \
    'build/echo-client --load --idle 1100 --count 1000' 'no room for another connection'
step=()
for number in "${faults[@]}"; do
    step+=($((number - 1)))
done
table serve_step "${servers[@]}"

# How long an answer takes is shown, and not judged: it depends on the machine.
if [ -z "$exe" ]; then
    idle='build/echo-client --load --idle 3000 --rate 100 --count 300'
    expect_quoted "$idle"
    took=()
    for name in 10-sets echo-server; do
        start '' "$name"
        try "$idle --json" || wrong=1
        stop
        took+=("$(sed -n 's/.*"round_trip":{[^}]*"p50_us":\([0-9.]*\).*/\1/p' seen)")
    done
    echo "${took[@]}" | awk '{
        printf "10. 3,000 idle connections: an answer of 10 takes %.0f times as long (p50) as echo-server'"'"'s\n",
            $1 / $2
    }'
fi
echo

faults=() title=() command=() shown=() limit=() option=()
fault client-1-2017 'an answer of 1,030 bytes' \
    "printf '%01010d\n' 7 | build/tutorial/client-1-2017 | wc -c" '1024' '' '--mode line'
fault client-2-select 'more input than fits on the way' \
    'timeout 10 build/tutorial/client-2-select <build/zeros | cmp - build/zeros' 'cmp: EOF on -'
[ -n "$exe" ] || fault client-3-console 'stdout on a full disk' \
    "printf 'hello\n' | build/tutorial/client-3-console >/dev/full; echo \"status \$?\"" 'status 0'
step=(0 1 2)
table serve_client "${clients[@]}"
exit "$wrong"

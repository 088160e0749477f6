#!/usr/bin/env bash
# Three servers behind the real HAProxy, which tells them by the PROXY protocol whose connections it
# relays; called by `make test-field`.
#   test/field.sh BUILD
# With version 1 and 2, and with both checks of HAProxy's, a connection without data (check) and one
# with a message (option tcp-check):
# - a client through the proxy is logged with its own address, and one that plays a proxy before it
#   is understood.
# With each version and each check once:
# - a server is taken out of service first, and stopped then: no message of a load is lost, though
#   each has a connection of its own;
# - a server is stopped under a load of connections that stay: every byte that it has answered
#   arrives, and the load names as many lost connections as the server has finished;
# - a server is killed under such a load, which names as many lost connections as were open there.
# Status 1 when anything is not so. Logs and reports stay in BUILD/field.
set -euo pipefail

build=$1
folder=$build/field
connections=30
servers=(a b c)
declare -A pid port # of each server
proxy_pid='' load_pid=''

fail() {
    echo "test/field.sh: WRONG: $*; see $folder" >&2
    exit 1
}

# clean_up: ends what is still running.
clean_up() {
    local each
    for each in $load_pid $proxy_pid "${pid[@]}"; do
        kill -KILL "$each" 2>/dev/null || true
    done
}

# wait_until WHAT COMMAND...: waits until the command says yes, at most 20 s.
wait_until() {
    local what=$1 end=$((SECONDS + 20))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || fail "$what: not within 20 s"
        sleep 0.05
    done
}

# start_server NAME: a server that leaves connections without data, as checks are, out of its log.
start_server() {
    local line
    rm -f "$folder/fifo"
    mkfifo "$folder/fifo"
    "$build/echo-server" --bind 127.0.0.1 --port "${port[$1]:-0}" --proxy-protocol --no-log-empty \
        >"$folder/fifo" 2>"$folder/$1.log" &
    pid[$1]=$!
    read -r line <"$folder/fifo" || fail "server $1 does not start: $(cat "$folder/$1.log")"
    port[$1]=${line##*:}
}

# free_port: the number of a port that was free a moment ago.
free_port() {
    local line server
    "$build/echo-server" --bind 127.0.0.1 --port 0 >"$folder/fifo" 2>/dev/null &
    server=$!
    read -r line <"$folder/fifo"
    kill "$server"
    wait "$server"
    echo "${line##*:}"
}

# start_proxy VERSION CHECK: HAProxy in front of the servers; sets proxy_pid and its
# ports: front for clients, marked for those that begin with a header, admin for tell. A port that
# was free may be taken meanwhile: then others are tried.
start_proxy() {
    local send='send-proxy' check='' name
    [ "$1" = v1 ] || send='send-proxy-v2'
    [ "$2" = check ] || check='option tcp-check
    tcp-check connect default
    tcp-check send hello
    tcp-check expect string hello'
    for _ in 1 2 3; do
        front=$(free_port) marked=$(free_port) admin=$(free_port)
        {
            echo "global
    stats socket ipv4@127.0.0.1:$admin level admin
defaults
    mode tcp
    timeout connect 2s
    timeout client 20s
    timeout server 20s
    option redispatch
listen echo
    bind 127.0.0.1:$front
    bind 127.0.0.1:$marked accept-proxy
    balance roundrobin
    $check
    default-server $send check inter 100ms source 127.0.0.3"
            for name in "${servers[@]}"; do
                echo "    server $name 127.0.0.1:${port[$name]}"
            done
        } >"$folder/haproxy.cfg"
        # It goes into the background once it listens.
        if haproxy -D -f "$folder/haproxy.cfg" -p "$folder/haproxy.pid" 2>"$folder/haproxy.log"; then
            proxy_pid=$(cat "$folder/haproxy.pid")
            return
        fi
    done
    fail "haproxy does not start: $(cat "$folder/haproxy.log")"
}

# tell COMMAND: gives HAProxy a command and prints its answer.
tell() {
    exec 3<>"/dev/tcp/127.0.0.1/$admin"
    echo "$1" >&3
    cat <&3
    exec 3>&-
}

# Whether all servers have passed their check.
are_checked() {
    [ "$(tell 'show stat' | grep -cE '^echo,[abc],.*,L(4|7)OK,')" -eq "${#servers[@]}" ]
}

# Whether HAProxy has no connection to server NAME.
is_unused() {
    [ "$(tell 'show stat' | awk -F , -v name="$1" '$1 == "echo" && $2 == name { print $5 }')" -eq 0 ]
}

# HAProxy comes from 127.0.0.3, with its checks as well; the clients are at 127.0.0.1, and named so.
# count WORD NAME...: how many connections of clients were opened, or closed, in these logs.
count() {
    local word=$1
    shift
    (cd "$folder" && cat "${@/%/.log}") | grep -c "Connection $word\[127\.0\.0\.1:" || true
}

# bytes_out NAME...: how many bytes were sent to clients, as these logs count them.
bytes_out() {
    (cd "$folder" && cat "${@/%/.log}") |
        sed -n 's/.*Connection closed\[127\.0\.0\.1:.* \([0-9]*\) bytes\{0,1\} out,.*/\1/p' |
        awk '{ sum += $1 } END { printf "%d\n", sum }'
}

# have_opened COUNT, have_closed_some COUNT, have_closed NAME...: whether at least so many connections
# of clients were, in all logs; whether all in these logs were.
have_opened() {
    [ "$(count opened "${servers[@]}")" -ge "$1" ]
}
have_closed_some() {
    [ "$(count closed "${servers[@]}")" -ge "$1" ]
}
have_closed() {
    [ "$(count closed "$@")" -eq "$(count opened "$@")" ]
}

# start_load [OPTION]...: in the background; its report is for finish_load.
start_load() {
    "$build/echo-client" --load --connections "$connections" --duration 2 --json "$@" \
        127.0.0.1 "$front" >"$folder/load.json" 2>"$folder/load.txt" &
    load_pid=$!
}

# finish_load STATUS: waits for the load's end.
finish_load() {
    local status=0
    wait "$load_pid" || status=$?
    load_pid=''
    [ "$status" -eq "$1" ] || fail "the load ended with status $status"
    grep -qE '"fault":(null|\{"kind":"missing")' "$folder/load.json" || fail "wrong bytes"
}

# reported KEY: a number in the load's report.
reported() {
    sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" "$folder/load.json"
}

unanswered() {
    echo $(($(reported messages_sent) - $(reported messages_answered)))
}

# expect WHAT NUMBER EXPECTED
expect() {
    [ "$2" -eq "$3" ] || fail "$1: $2 instead of $3"
}

# end_server NAME SIGNAL STATUS: sends the signal, and waits for the server's end.
end_server() {
    local status=0
    kill "-$2" "${pid[$1]}"
    wait "${pid[$1]}" 2>/dev/null || status=$? # the shell would tell of a killed one
    unset "pid[$1]"
    expect "status of server $1" "$status" "$3"
}

# begin VERSION CHECK, finish: all servers anew, with empty logs, and the proxy in front of them.
begin() {
    local name
    for name in "${servers[@]}"; do
        start_server "$name"
    done
    start_proxy "$1" "$2"
    wait_until "HAProxy checks all servers" are_checked
}

finish() {
    local name
    kill "$proxy_pid"
    proxy_pid=''
    for name in "${!pid[@]}"; do
        end_server "$name" TERM 0
    done
}

session() {
    [ "$(echo hello | "$build/echo-client" 127.0.0.1 "$front")" = hello ] || fail "no echo"
    wait_until "one client is logged" have_closed_some 1
    [ "$(echo hello | "$build/echo-client" --proxy-protocol "$version" 127.0.0.1 "$marked")" = \
        hello ] || fail "no echo behind two headers"
    wait_until "two clients are logged" have_closed_some 2
    expect "clients that are logged" "$(count opened "${servers[@]}")" 2
    if [ "$check" = check ] && grep -q '\[127\.0\.0\.3:' "$folder"/[abc].log; then
        fail "a check is logged that has sent nothing"
    fi
    grep -h 'Connection opened\[127\.0\.0\.1:' "$folder"/[abc].log | sed 's/^[^,]*,/    /'
}

drained() {
    start_load --rate 300 --reconnect
    wait_until "clients come" have_opened "$connections"
    tell 'set server echo/a state drain' >/dev/null
    wait_until "HAProxy leaves server a" is_unused a
    end_server a TERM 0
    finish_load 0
    expect "messages answered" "$(reported messages_answered)" 600
    echo "    drained, then stopped: 600 messages, each on a connection of its own: all answered," \
        "$(count closed a) by server a"
}

# stop_under_load [OPTION]...: each byte that a server has sent has arrived.
stop_under_load() {
    start_load "$@"
    wait_until "clients come" have_opened "$connections"
    end_server a TERM 0
    finish_load 1
    wait_until "the clients leave" have_closed "${servers[@]}"
    expect "connections lost" "$(reported connections_lost)" "$(count opened a)"
    expect "bytes received" "$(reported bytes_received)" "$(bytes_out "${servers[@]}")"
    echo "    stopped: $(reported connections_lost) of $connections connections lost, as many as" \
        "server a had; $(unanswered) of $(reported messages_sent) messages not answered; all" \
        "$(reported bytes_received) bytes that the servers sent arrived"
}

# Now and then a message, which is hardly ever on its way when the server stops.
stopped() {
    stop_under_load --rate 300
}

# Messages on their way in both directions all the time.
stopped_busy() {
    stop_under_load --pipeline 4
}

killed() {
    start_load --rate 300
    wait_until "clients come" have_opened "$connections"
    end_server b KILL 137
    finish_load 1
    wait_until "the clients leave" have_closed a c
    expect "connections lost" "$(reported connections_lost)" \
        "$(($(count opened b) - $(count closed b)))"
    echo "    killed: $(reported connections_lost) of $connections connections lost, as many as" \
        "server b had; $(unanswered) of $(reported messages_sent) messages not answered"
}

# try VERSION CHECK PART...
try() {
    local part
    version=$1 check=$2
    shift 2
    echo "PROXY protocol $version, $check:"
    for part; do
        port=()
        begin "$version" "$check"
        "$part"
        finish
    done
}

PATH=$PATH:/usr/sbin
command -v haproxy >/dev/null || {
    echo "test/field.sh: there is no haproxy here; run: make deps-field" >&2
    exit 1
}
trap clean_up EXIT
trap 'exit 1' INT TERM
mkdir -p "$folder"
try v1 check session drained stopped stopped_busy killed
try v1 tcp-check session
try v2 check session
try v2 tcp-check session drained stopped stopped_busy killed

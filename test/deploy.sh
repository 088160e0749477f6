#!/usr/bin/env bash
# Tries what docs/deploy/ has with the static programs, as far as this machine can (Linux). What it
# cannot is left out, with a line that says why.
#   test/deploy.sh BUILD [PART]...     BUILD: where the static programs are
# shellcheck disable=SC2317 # parts are called by their names
set -u
PATH=$PATH:/usr/sbin:/sbin

build=$(cd "$1" && pwd)
context="$0 $1"
# shellcheck source=test/torture/programs.sh
. test/torture/programs.sh
deploy=docs/deploy
nobody=65534
# In a network of its own, which has no device that is up, as nobody.
confined=(unshare --net setpriv --reuid "$nobody" --regid "$nobody" --clear-groups --no-new-privs)

# part NAME: what is reported from here on belongs to it.
part() {
    name=$1
    before=$broken
}

wrong() {
    problem "$name: $1"
}

right() {
    ((broken > before)) || echo "$name: ok${1:+: $1}"
}

left_out() {
    echo "$name: left out: $1"
}

# begin NAME COMMAND...: starts a server; sets `pid`, `log` and `address`, the first it listens on.
begin() {
    log=$work/$1.log
    output=$work/$1.out
    : >"$output"
    "${@:2}" </dev/null >"$output" 2>"$log" &
    pid=$!
    await grep -q listening "$output" || wrong "it does not listen: $(<"$log")"
    address=$(sed -n 's/^listening on //p' "$output" | head -n 1)
}

# ends_well PID: it ends by itself, with status 0 and the last line of its log.
ends_well() {
    local status
    await has_ended "$1" || kill -KILL "$1"
    wait "$1"
    status=$?
    ((status == 0)) || wrong "status $status: $(<"$log")"
    grep -q ',Stopped: ' "$log" || wrong "it does not say that it has stopped: $(<"$log")"
}

has_ended() {
    [[ $(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) != [^Z] ]]
}

# is_nobody PID: a process, whatever its user may still become.
is_nobody() {
    grep -q "^Uid:$(printf '\t%s' "$nobody" "$nobody" "$nobody" "$nobody")" "/proc/$1/status"
}

# answers [COMMAND]...: from a client that is started with it.
answers() {
    [ "$(echo hello | timeout "$patience" "$@" "$client" "$address" 2>&1)" = hello ]
}

# connects ADDRESS: as a probe does, which sends nothing.
connects() {
    (exec 3<>"/dev/tcp/${1%:*}/${1##*:}") 2>/dev/null
}

# free_port: one of 127.0.0.1 that was free a moment ago.
free_port() {
    begin port "$server" --quiet --port 0 --bind 127.0.0.1
    kill -TERM "$pid"
    wait "$pid"
    echo "${address##*:}"
}

# command_of UNIT: sets `command` to what it starts, with the static server.
command_of() {
    read -ra command <<<"$(sed -n "s,^ExecStart=/usr/local/bin/echo-server,$server,p" "$1")"
}

# in_other_network: whether a server can be started so.
in_other_network() {
    "${confined[@]}" true 2>/dev/null || {
        left_out 'unshare and setpriv are not permitted here'
        return 1
    }
}

# Alone in a root directory, as nobody and as process 1, for which the system does nothing about a
# signal without a handler; with a connection that does not end by itself.
empty_root() {
    local root=$work/root inner line
    part 'process 1 in an empty root'
    if ! unshare --pid --fork chroot / true 2>/dev/null; then
        left_out 'unshare and chroot are not permitted here'
        return
    fi
    mkdir "$root"
    ln "$server" "$root"
    begin root unshare --pid --fork --kill-child chroot --userspec="$nobody:$nobody" "$root" \
        /echo-server --port 0 --bind 127.0.0.1 --drain-timeout 1
    inner=$(pgrep -P "$pid")
    grep -q $'^NSpid:.*\t1$' "/proc/$inner/status" || wrong 'it is not process 1'
    is_nobody "$inner" || wrong 'it is not nobody'
    [ "$(readlink "/proc/$inner/root")" = "$root" ] || wrong 'it has another root'
    answers || wrong 'it does not answer'
    exec {held}<>"/dev/tcp/127.0.0.1/${address##*:}"
    echo hello >&"$held"
    read -r -t "$patience" -u "$held" line
    [ "$line" = hello ] || wrong 'it does not answer a connection that stays'
    kill -TERM "$inner"
    ends_well "$pid"
    in_log 'Stopping: 1 connection to finish' || wrong "no connection was left: $(<"$log")"
    exec {held}<&-
    right 'nobody, answers, stops within --drain-timeout'
}

# image COMMAND...: buildah or podman, with a storage of this test.
image() {
    "$1" --storage-driver vfs --root "$work/storage" --runroot "$work/runroot" "${@:2}"
}

# Its user, its stop signal, its entry point and its port are those that the image was given.
container_image() {
    local options=(--network none --read-only --cap-drop all --security-opt no-new-privileges
        --ulimit nofile=1000:1000 --ulimit nproc=1000:1000)
    local settings inner podman=(image podman --cgroup-manager cgroupfs --runtime runc)
    part 'an image from Containerfile'
    printf 'FROM scratch\nCOPY echo-server /\n' >"$work/Containerfile"
    if ! image buildah bud --isolation chroot "$work" >/dev/null 2>&1; then
        left_out 'buildah does not run here'
        return
    fi
    if ! image buildah bud --isolation chroot -t echo-server -f "$deploy/Containerfile" . \
        >"$work/buildah.log" 2>&1; then
        wrong "buildah: $(<"$work/buildah.log")"
        return
    fi
    settings=$(image buildah inspect --type image --format \
        '{{.OCIv1.Config.User}} {{.OCIv1.Config.StopSignal}} {{.OCIv1.Config.ExposedPorts}}' \
        echo-server)
    [ "$settings" = "$nobody:$nobody SIGTERM map[9901/tcp:{}]" ] || wrong "its settings: $settings"
    right 'builds'

    part 'the image as a container'
    if ! "${podman[@]}" run --rm "${options[@]}" echo-server --version >/dev/null 2>&1; then
        left_out 'podman and runc do not run here'
        return
    fi
    begin container "${podman[@]}" run --name echo "${options[@]}" echo-server --drain-timeout 1
    [ "$address" = 0.0.0.0:9901 ] || wrong "it listens on $address"
    address=127.0.0.1:9901
    inner=$("${podman[@]}" inspect --format '{{.State.Pid}}' echo)
    is_nobody "$inner" || wrong 'it is not nobody'
    answers nsenter --net --target "$inner" || wrong 'it does not answer'
    "${podman[@]}" stop --time "$patience" echo >/dev/null 2>&1 || wrong 'podman does not stop it'
    ends_well "$pid"
    right 'answers, is stopped by podman'
}

# allowed UNIT: the calls to the system that its filter allows.
allowed() {
    systemd-analyze syscall-filter 2>/dev/null | awk -v filters="$(sed -n \
        's/^SystemCallFilter=//p' "$1" | tr '\n' ' ')" '
        function expand(set, allow,    i, n, members) {
            n = split(sets[set], members, " ")
            for (i = 1; i <= n; i++)
                if (members[i] ~ /^@/)
                    expand(members[i], allow)
                else
                    allowed[members[i]] = allow
        }
        /^@/ { set = $1 }
        /^ *[a-z@_0-9]/ && !/^@/ { sets[set] = sets[set] " " $1 }
        END {
            # "~" makes all that follow it on its line forbidden ones.
            expand("@default", 1)
            n = split(filters, words, " ")
            for (i = 1; i <= n; i++) {
                if (sub(/^~/, "", words[i]))
                    forbidden = 1
                expand(words[i], !forbidden)
            }
            for (call in allowed)
                if (allowed[call])
                    print call
        }' | sort
}

# calls FILE: those that strace saw the last program make that was started.
calls() {
    awk -F '(' '/execve\(/ { delete made } /^[0-9 ]*[a-z_0-9]+\(/ { sub(/.* /, "", $1); made[$1] }
        END { for (call in made) print call }' "$1" | sort
}

# The units with the static server, which has to be there for systemd-analyze.
units() {
    local unit level drain
    part 'the units of systemd'
    if ! command -v systemd-analyze >/dev/null; then
        left_out 'there is no systemd-analyze here'
        return
    fi
    mkdir "$work/units"
    for unit in "$deploy"/*.service "$deploy"/*.socket; do
        sed "s,/usr/local/bin/echo-server,$server," "$unit" >"$work/units/${unit##*/}"
    done
    for unit in "$work"/units/*; do
        systemd-analyze verify --man=no "$unit" >"$work/verify" 2>&1 || wrong "$(<"$work/verify")"
        [ ! -s "$work/verify" ] || wrong "$(<"$work/verify")"
    done
    right 'verified by systemd-analyze'
    for unit in "$deploy"/*.service; do
        part "${unit##*/}"
        # 20 is an exposure of 2.0, in tenths.
        systemd-analyze security --offline=true --threshold=20 "$work/units/${unit##*/}" \
            >"$work/security" 2>&1 || wrong "$(<"$work/security")"
        level=$(sed -n 's/.*exposure level for [^:]*: \([0-9.]*\).*/\1/p' "$work/security")
        drain=$(sed -n 's/^ExecStart=.* --drain-timeout \([0-9]*\).*/\1/p' "$unit")
        (($(sed -n 's/^TimeoutStopSec=//p' "$unit") > drain)) ||
            wrong 'it is killed before its --drain-timeout is over'
        right "exposure $level of 10, says systemd-analyze security"
    done
}

# Serves a load under strace, with sockets of its own and with one that it is passed.
filtered_calls() {
    local unit
    part 'the calls that the units allow'
    if ! strace -o /dev/null true 2>/dev/null; then
        left_out 'strace does not run here'
        return
    fi
    if ! systemd-analyze syscall-filter @system-service >/dev/null 2>&1; then
        left_out 'there is no systemd-analyze here'
        return
    fi
    begin strace strace -D -qq -o "$work/calls" "$server" --no-log-empty --port 0 --bind 127.0.0.1
    timeout "$patience" "$client" --load --connections 100 --count 2000 "$address" \
        >"$work/load" 2>&1 || wrong "$(<"$work/load")"
    kill -TERM "$pid"
    ends_well "$pid"
    calls "$work/calls" >"$work/made"
    grep -qx accept4 "$work/made" || wrong 'strace did not see it accept a connection'
    for unit in "$deploy"/*.service; do
        allowed "$unit" >"$work/allowed"
        comm -23 "$work/made" "$work/allowed" >"$work/forbidden"
        [ ! -s "$work/forbidden" ] || wrong "${unit##*/} forbids $(tr '\n' ' ' <"$work/forbidden")"
    done
    right "$(wc -l <"$work/made") of them made"
}

# What echo-server.service starts, with the capability that it gives.
privileged_port() {
    local command capability=net_bind_service
    part 'echo-server.service, on port 7'
    in_other_network || return
    command_of "$deploy/echo-server.service"
    timeout "$patience" "${confined[@]}" "${command[@]}" >/dev/null 2>&1 &&
        wrong 'it needs no capability'
    begin privileged "${confined[@]}" --inh-caps="+$capability" --ambient-caps="+$capability" \
        "${command[@]}"
    is_nobody "$pid" || wrong 'it is not nobody'
    [ "$address" = 0.0.0.0:7 ] || wrong "it listens on '$address'"
    address=127.0.0.1:7
    nsenter --net --target "$pid" ip link set lo up
    answers nsenter --net --target "$pid" || wrong 'it does not answer'
    kill -TERM "$pid"
    ends_well "$pid"
    right 'nobody, with one capability, answers'
}

# What echo-server-activated.service starts, with a socket that listens in this network.
activation() {
    local port command
    part 'echo-server-activated.service, with a socket'
    if ! command -v systemd-socket-activate >/dev/null; then
        left_out 'there is no systemd-socket-activate here'
        return
    fi
    in_other_network || return
    port=$(free_port)
    log=$work/activated.log
    : >"$log"
    command_of "$deploy/echo-server-activated.service"
    systemd-socket-activate -l "127.0.0.1:$port" "${confined[@]}" --bounding-set=-all \
        "${command[@]}" </dev/null >"$work/activated.out" 2>"$log" &
    pid=$!
    address=127.0.0.1:$port
    await in_log 'Listening on' || wrong "it does not listen: $(<"$log")"
    answers || wrong "it does not answer: $(<"$log")"
    is_nobody "$pid" || wrong 'it is not nobody'
    grep -qx "listening on $address" "$work/activated.out" || wrong 'it does not say where'
    kill -TERM "$pid"
    ends_well "$pid"
    right 'nobody, without a capability or a network, answers'
}

# The manifest, and what its probes leave in the log.
kubernetes() {
    local options
    part 'kubernetes.yaml'
    if ! [ -d build/deploy/node_modules ] || ! command -v node >/dev/null; then
        left_out 'its schema is not here; run: make deps-deploy'
        return
    fi
    if ! options=$(node test/kubernetes.js build/deploy "$deploy/kubernetes.yaml" 2>&1); then
        wrong "$options"
        return
    fi
    # shellcheck disable=SC2086 # words
    begin pod "$server" --port 0 --bind 127.0.0.1 $options
    for _ in 1 2 3 4 5; do
        connects "$address" || wrong 'a probe cannot connect'
    done
    answers || wrong 'it does not answer'
    kill -TERM "$pid"
    ends_well "$pid"
    (($(grep -c ',Connection ' "$log") == 2)) || wrong "probes are in the log: $(<"$log")"
    right 'the schema of the API, and probes that leave no trace'
}

# Each server, which its greeting names, has its share of the connections, and the checks leave no
# trace.
balancer() {
    local port i answer pids=() greeted=([1]=0 [2]=0 [3]=0)
    part 'haproxy.cfg, three servers'
    if ! command -v haproxy >/dev/null; then
        left_out 'there is no haproxy here'
        return
    fi
    haproxy -c -q -f "$deploy/haproxy.cfg" >"$work/haproxy.log" 2>&1 ||
        wrong "$(<"$work/haproxy.log")"
    port=$(free_port)
    sed "s/bind 0.0.0.0:7/bind 127.0.0.1:$port/; /bind :::7/d" "$deploy/haproxy.cfg" \
        >"$work/haproxy.cfg"
    for i in 1 2 3; do
        begin "echo$i" "$server" --proxy-protocol --greeting "echo$i" --no-log-empty --port 0 \
            --bind 127.0.0.1
        pids+=("$pid")
        sed -i "s/127.0.0.1:990$i/$address/" "$work/haproxy.cfg"
    done
    haproxy -db -f "$work/haproxy.cfg" </dev/null >"$work/haproxy.log" 2>&1 &
    pid=$!
    address=127.0.0.1:$port
    await connects "$address" || wrong "haproxy does not listen: $(<"$work/haproxy.log")"
    for ((i = 0; i < 12; i++)); do
        answer=$(echo hello | timeout "$patience" "$client" "$address" 2>&1)
        [[ $answer == echo[123]$'\nhello' ]] || wrong "not a greeting and an answer: $answer"
        greeted[${answer:4:1}]=$((greeted[${answer:4:1}] + 1))
    done
    kill -TERM "$pid"
    wait "$pid"
    for i in 1 2 3; do
        log=$work/echo$i.log
        kill -TERM "${pids[i - 1]}"
        ends_well "${pids[i - 1]}"
        ((greeted[i] > 0)) || wrong "no connection came to server $i"
        (($(grep -c ',Connection opened.* through ' "$log") == greeted[i] &&
            $(grep -c ',Connection ' "$log") == 2 * greeted[i])) ||
            wrong "server $i has others than ${greeted[i]} connections in its log: $(<"$log")"
    done
    right "12 connections: ${greeted[*]}"
}

parts=(empty_root container_image units filtered_calls privileged_port activation kubernetes balancer)
# Where nobody may look.
work=$(mktemp -d) || exit 1
trap 'end_children; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
chmod 755 "$work"
cp "$server" "$work"
server=$work/echo-server
for name in "${@:2}" "${parts[@]:$(($# > 1 ? ${#parts[@]} : 0))}"; do
    "$name"
done
echo "docs/deploy: $broken broken promises"
exit $((broken > 0))

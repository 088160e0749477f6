#!/usr/bin/env bash
# Torture from outside: the programs as they are released, on Linux. strace(1) lets each call to the
# system fail in turn, with each error that its manual page names, and sends signals during it. A
# scenario runs once without a fault, to count the calls, and then once for each fault. The promises
# are those of torture.c: a program ends by itself, without a crash and with a documented status;
# its failure is one clear line; JSON is whole; a fault disturbs one connection at most, and all
# others get every byte. What is no failure, such as EINTR, disturbs none.
#   test/torture/outside.sh BUILD [SCENARIO FAULT]
# With a scenario and a fault: that one run, and what it left behind.
# TORTURE_LIMIT=N: of each function, only the first N calls fail.
set -u

build=$(cd "$1" && pwd)
context="$0 $1"
# shellcheck source=test/torture/programs.sh
. test/torture/programs.sh
limit=${TORTURE_LIMIT:-40} # no scenario makes more calls of one function
workers=2

# What fails, and how, by the manual pages. Some names are those of other architectures.
declare -A errors=(
    [accept4]='EAGAIN EBADF ECONNABORTED EFAULT EINTR EINVAL EMFILE ENFILE ENOBUFS ENOMEM ENOTSOCK
        EOPNOTSUPP EPERM EPROTO ENETDOWN ENOPROTOOPT EHOSTDOWN ENONET EHOSTUNREACH ENETUNREACH ENOSR
        ESOCKTNOSUPPORT EPROTONOSUPPORT ETIMEDOUT'
    [recvfrom]='EAGAIN EBADF ECONNREFUSED EFAULT EINTR EINVAL ENOMEM ENOTCONN ENOTSOCK ECONNRESET
        ETIMEDOUT'
    [sendto]='EACCES EAGAIN EALREADY EBADF ECONNRESET EDESTADDRREQ EFAULT EINTR EINVAL EISCONN
        EMSGSIZE ENOBUFS ENOMEM ENOTCONN ENOTSOCK EOPNOTSUPP EPIPE'
    [pselect6]='EBADF EINTR EINVAL ENOMEM'
    [poll]='EFAULT EINTR EINVAL ENOMEM'
    [read]='EAGAIN EBADF EFAULT EINTR EINVAL EIO' # not EISDIR: nothing that is read is a folder
    [write]='EAGAIN EBADF EDESTADDRREQ EDQUOT EFAULT EFBIG EINTR EINVAL EIO ENOSPC EPERM EPIPE'
    [getsockname]='EBADF EFAULT EINVAL ENOBUFS ENOTSOCK'
    [getpeername]='EBADF EFAULT EINVAL ENOBUFS ENOTCONN ENOTSOCK'
    [setsockopt]='EBADF EFAULT EINVAL ENOPROTOOPT ENOTSOCK'
    [getsockopt]='EBADF EFAULT EINVAL ENOPROTOOPT ENOTSOCK'
    [socket]='EACCES EAFNOSUPPORT EINVAL EMFILE ENFILE ENOBUFS ENOMEM EPROTONOSUPPORT'
    [bind]='EACCES EADDRINUSE EADDRNOTAVAIL EBADF EFAULT EINVAL ENOTSOCK'
    [listen]='EADDRINUSE EBADF ENOTSOCK EOPNOTSUPP'
    [connect]='EACCES EPERM EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EALREADY EBADF ECONNREFUSED
        EFAULT EINPROGRESS EINTR EISCONN ENETUNREACH ENOTSOCK EPROTOTYPE ETIMEDOUT'
    [shutdown]='EBADF EINVAL ENOTSOCK' # not ENOTCONN: the connection would be gone for recv(), too
    [close]='EBADF EINTR EIO ENOSPC EDQUOT'
    [fcntl]='EACCES EAGAIN EBADF EBUSY EDEADLK EFAULT EINTR EINVAL EMFILE ENOLCK ENOTDIR EPERM'
    [ioctl]='EBADF EFAULT EINVAL ENOTTY'
    [openat]='EACCES EINTR EMFILE ENFILE ENOENT ENOMEM ENXIO'
    [pipe2]='EFAULT EINVAL EMFILE ENFILE'
    [signalfd4]='EBADF EINVAL EMFILE ENFILE ENODEV ENOMEM'
    [socketpair]='EAFNOSUPPORT EFAULT EMFILE ENFILE EOPNOTSUPP EPROTONOSUPPORT'
)
for alias in select=pselect6 _newselect=pselect6 pselect6_time64=pselect6 ppoll=poll \
    ppoll_time64=poll pipe=pipe2 recv=recvfrom send=sendto accept=accept4 open=openat \
    fcntl64=fcntl signalfd=signalfd4; do
    errors[${alias%=*}]=${errors[${alias#*=}]}
done

# Whether a call may return 0 at any time: a wait without a result, the end of a stream.
may_return_zero() {
    case $1 in
    *select* | *poll* | recv*) true ;;
    *) false ;;
    esac
}

# set_under FAULT: sets `under`, the command that runs a program with a fault, or without one and
# with a trace of all calls. With -D the program, and not strace, is our child.
set_under() {
    local part names=
    under=(strace -D -f -o "$dir/trace")
    for part in $refused ${1//\// }; do
        under+=(-e "inject=$part")
        names+=,${part%%:*}
    done
    [ -z "$1" ] || under+=(-e "trace=${names#,}")
    # The quick way, which sends no signals.
    [[ $1 != *:error=* && $1 != *:retval=* ]] || under+=(--seccomp-bpf)
}

# Whether the fault of this run is a request to stop.
is_stop() {
    [[ $fault == *:signal=SIGINT:* || $fault == *:signal=SIGTERM:* ]]
}

# Whether the fault of this run has to go unnoticed: a call that is to be made again, a signal that
# means nothing to the programs.
is_harmless() {
    [[ $fault =~ :signal=SIG(CHLD|WINCH|CONT|PIPE): ||
        $fault =~ ^(accept|recv|send|read|write|.*select|p?poll).*:error=(EINTR|EAGAIN): ||
        $fault =~ ^[^/]*(select|poll|brk)[^/]*:retval=0:[^/]*$ ]]
}

# read_trace: sets `injected` to 1 when the fault has come about.
read_trace() {
    local trace signal
    trace=$(<"$dir/trace")
    signal=${fault#*:signal=}
    injected=0
    [ -z "$refused" ] || trace=$(grep -v '^[0-9]* *open' <<<"$trace")
    [[ $trace != *'(INJECTED'* && $trace != *"--- ${signal%%:*} "* ]] || injected=1
}

# How many peers may be disturbed in this run.
most_disturbed() {
    if is_harmless; then
        echo 0
        return
    fi
    case $fault in
    recv* | send* | shutdown*) echo 1 ;;
    brk*) echo 3 ;;
    *) echo 0 ;;
    esac
}

check_server() {
    local disturbed=$1 log failures
    check_log "$dir/log"
    log=$(<"$dir/log")
    if ((status == 1)) && ! is_stop && ! is_harmless; then
        failures=$(grep -cE '^echo-server: (note: )?|,select\(\) failed: ' "$dir/log")
        failures=$((failures - $(grep -c '^echo-server: note: ' "$dir/log")))
        ((failures == 1)) || problem "status 1, and $failures lines say why: $log"
        return
    fi
    # Its clients may be cut off then. A signal that comes before it has a handler ends it.
    if is_stop; then
        ((status == 0 || (status == 143 && ${#log} == 0))) || problem "status $status: $log"
        return
    fi
    ((status == 0)) || problem "status $status: $log"
    ((disturbed <= $(most_disturbed))) || problem "$disturbed clients are disturbed: $log"
    if ((disturbed > 0)) && [[ $fault != *:retval=0:* ]] &&
        ! grep -qE ':(reset|(rejected: )?out of memory|failed: .*);' "$dir/log"; then
        problem "a client is disturbed, and the log does not say why: $log"
    fi
}

# A handler writes the request to stop, 16 bytes, to a pipe that is never full. Such a write does
# not fail (pipe(7)); one that was made to is no request.
# shellcheck disable=SC2317 # await() calls it
request_is_written() {
    grep -qE ', 16\) += |^[0-9]+ \+\+\+' "$dir/trace"
}

request_is_lost() {
    grep -qE ', 16\) += -1 .*\(INJECTED' "$dir/trace"
}

# A server with three clients at once, two of which check every byte.
run_server() {
    local mode=$1 pid i disturbed=0 load=(--count 4 --pipeline 2 --size 20000) stop=INT
    local right=$'hello\nquit\n' peers=()
    [[ $fault != *:signal=SIGINT:* ]] || stop=TERM
    case $mode in
    line) load+=(--expect line) right=$'Message received - hello\nquit\n' ;;
    # What is sent at once, and alone, is received at once.
    chunk) load=(--count 4 --expect line) right=$'Message received - hello\nquit\n' ;;
    esac
    "${under[@]}" "$server" --port 0 --bind 127.0.0.1 --mode "$mode" \
        </dev/null >"$dir/out" 2>"$dir/log" &
    pid=$!
    exec {out}<"$dir/out"
    read_address
    if [ -n "$address" ]; then
        for i in 1 2; do
            "$client" --load "${load[@]}" "$address" </dev/null >"$dir/peer$i" 2>&1 &
            peers+=($!)
        done
        printf 'hello\nquit\n' | timeout "$patience" "$client" "$address" \
            >"$dir/answer" 2>"$dir/peer3"
        if ((PIPESTATUS[1] != 0)) || [ "$(<"$dir/answer")" != "${right%$'\n'}" ]; then
            disturbed=$((disturbed + 1))
        fi
        for i in "${peers[@]}"; do
            wait "$i" || disturbed=$((disturbed + 1))
        done
    fi
    kill "-$stop" "$pid" 2>/dev/null
    if [[ $fault == write:error=* ]]; then
        await request_is_written || problem 'it does not notice the request to stop'
        ! request_is_lost || kill "-$stop" "$pid" 2>/dev/null
    fi
    finish "$pid"
    check_server "$disturbed"
}

# is_json FILE: by reducing it to one value.
is_json() {
    [ "$(tr -d ' \n' <"$1" | sed -E 's/"([^"\\]|\\.)*"/S/g
        s/-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?|true|false|null/V/g
        :again
        s/\{(S:[SV](,S:[SV])*)?\}|\[([SV](,[SV])*)?\]/V/g
        t again')" = V ]
}

# check_failure INTERRUPTED: a failure is one line on stderr. A program that was told to stop need
# not explain that, and ends with this status.
check_failure() {
    local lines memory=0
    [[ $fault != brk* ]] || memory=1
    lines=$(grep -c '^echo-client: ' "$dir/log")
    if is_stop && ((status == $1)); then
        return
    fi
    # Without memory, JSON cannot be written either, which is a second failure.
    ((status == 1 && (lines == 1 || (lines == 2 && memory)))) ||
        problem "status $status, stderr: $(<"$dir/log"), stdout: $(head -c 300 "$dir/output")"
}

check_session() {
    local output
    output=$(<"$dir/output")
    [[ $numbers == "$output"* ]] || problem 'wrong bytes on stdout'
    if ((status != 0)); then
        check_failure 130
    elif [ "$output" != "${numbers%$'\n'}" ] && [[ $fault != recv*:retval=0:* ]]; then
        problem "status 0, and ${#output} bytes on stdout"
    fi
}

check_ping() {
    if ((status == 1)) && grep -q ' lost' "$dir/output"; then
        return
    fi
    if ((status != 0)); then
        check_failure 1
    elif ! grep -q '3 sent, 3 answered, 0 lost' "$dir/output" && ! is_stop; then
        problem "status 0, and stdout: $(<"$dir/output")"
    fi
}

check_load() {
    local passed=false
    if ! is_json "$dir/output"; then
        [ ! -s "$dir/output" ] || problem "stdout is not JSON: $(<"$dir/output")"
        ((status != 0)) || problem "status 0 without JSON; stderr: $(<"$dir/log")"
        check_failure 1
        return
    fi
    ((status != 0)) || passed=true
    if ((status > 1)) || ! grep -q "^{\"type\":\"total\",\"passed\":$passed," "$dir/output"; then
        problem "status $status, $(<"$dir/output")"
    fi
    if ((status != 0)) && grep -q '"failure":null,"fault":null' "$dir/output"; then
        check_failure 1
    fi
}

# A client with a server that is all right, at `good`.
run_client() {
    local kind=$1 pid arguments=()
    case $kind in
    ping) arguments=(--ping --count 3 --interval 0.001) ;;
    load) arguments=(--load --connections 2 --count 6 --pipeline 2 --size 20000 --json) ;;
    esac
    printf '%s' "$numbers" | "${under[@]}" "$client" "${arguments[@]}" "$good" \
        >"$dir/out" 2>"$dir/log" &
    pid=$!
    if ! timeout "$patience" cat "$dir/out" >"$dir/output"; then
        problem 'it does not end'
        kill -KILL "$pid"
    fi
    wait "$pid"
    status=$?
    # A signal that comes before it has a handler ends it.
    if is_stop && ((status == 143)) && [ ! -s "$dir/output" ] && [ ! -s "$dir/log" ]; then
        return
    fi
    if ((status != 0)) && is_harmless; then
        problem "status $status: $(<"$dir/log"), stdout: $(head -c 300 "$dir/output")"
    else
        case $kind in
        session) check_session ;;
        ping) check_ping ;;
        load) check_load ;;
        esac
    fi
}

start_good_server() {
    [ -p "$dir/good" ] || mkfifo "$dir/good"
    "$server" --port 0 --bind 127.0.0.1 </dev/null >"$dir/good" 2>"$dir/good.log" &
    good_server=$!
    exec {good_out}<"$dir/good"
    read -r -t "$patience" -u "$good_out" _ _ good
}

end_good_server() {
    kill -INT "$good_server"
    wait "$good_server" || problem 'the server of the clients has failed'
    exec {good_out}<&-
}

# run SCENARIO FAULT: one run of it.
run() {
    fault=$2
    context="$0 $build $1 '$fault'"
    refused=
    # Pipes that cannot be opened once more are asked for room before each write.
    [[ $1 != *-poll ]] || refused=${refused_opens[${1%-*}]}
    set_under "$fault"
    : >"$dir/trace"
    : >"$dir/log"
    case $1 in
    server-poll) run_server echo ;;
    client-poll) run_client session ;;
    server-*) run_server "${1#*-}" ;;
    client-*) run_client "${1#*-}" ;;
    esac
    read_trace
}

# work NUMBER: a share of the cases.
work() {
    local scenario case total=0 n=0
    broken=0
    trap end_children EXIT
    trap 'exit 130' TERM
    begin_folder "$folder/$1"
    start_good_server
    while read -r scenario case; do
        if ((n++ % workers == $1)); then
            run "$scenario" "$case"
            total=$((total + injected))
        fi
    done <"$folder/cases"
    end_good_server
    echo "$total $broken" >"$dir/sum"
}

# list_cases SCENARIO: the faults of a scenario that has just run without one. The calls of the
# dynamic loader and of libc before main() are none of the program's; and what a server does before
# it listens does not depend on its mode.
list_cases() {
    local scenario=$1 first='"/dev/null"' name before count n outcome outcomes signal map mapped=0
    [[ $scenario != server-line && $scenario != server-chunk ]] || first='"listening on '
    awk -v first="$first" '
        $0 ~ first { own = 1 }
        $2 ~ /^[a-z_0-9]+\(/ {
            sub(/\(.*/, "", $2)
            names[$2]
            if (own) calls[$2]++; else before[$2]++
        }
        END { for (name in names) print name, before[name] + 0, calls[name] + 0 }
    ' "$dir/trace" | sort >"$dir/calls"
    read -r map mapped _ < <(grep '^mmap' "$dir/calls")
    while read -r name before count; do
        ((count = count < limit ? count : limit))
        if [ "$name" = brk ]; then
            # From one call on, no memory at all: malloc() tries the one after the other. The kernel
            # refuses by an address that is below the one asked for.
            for ((n = before + 1; n <= before + count; n++)); do
                echo "$scenario brk:retval=0:when=$n+"
                echo "$scenario brk:retval=0:when=$n+/$map:error=ENOMEM:when=$((mapped + 1))+"
            done
            continue
        fi
        [ -n "${errors[$name]-}" ] || continue
        [[ $scenario != *-poll || $name == *poll* || $name == write ]] || continue
        outcomes=
        for outcome in ${errors[$name]}; do
            outcomes+=" error=$outcome"
        done
        for signal in SIGINT SIGTERM SIGCHLD SIGWINCH SIGCONT SIGPIPE; do
            outcomes+=" signal=$signal"
        done
        ! may_return_zero "$name" || outcomes+=' retval=0'
        for ((n = before + 1; n <= before + count; n++)); do
            for outcome in $outcomes; do
                echo "$scenario $name:$outcome:when=$n"
            done
        done
    done <"$dir/calls"
}

# Every open() of the programs that follows those of the dynamic loader, which are all that
# --version needs.
declare -A refused_opens
set_refused_opens() {
    local program
    for program in server client; do
        strace -o "$dir/trace" "$build/echo-$program" --version >/dev/null
        refused_opens[$program]=$(awk '/^open/ { name = $1; n++ }
            END { sub(/\(.*/, "", name); print name ":error=EACCES:when=" n + 1 "+" }' "$dir/trace")
    done
}

# try_all SCENARIO...: each scenario with each of its faults.
try_all() {
    local scenario i before total=0 faults wrong pids
    for scenario; do
        : >"$folder/cases"
        before=$broken
        run "$scenario" ''
        if ((status != 0 || broken > before)); then
            problem "$scenario fails without a fault, status $status: $(<"$dir/log")"
            continue
        fi
        list_cases "$scenario" >"$folder/cases"
        rm -f "$folder"/[0-9]/sum
        pids=()
        for ((i = 0; i < workers; i++)); do
            work "$i" &
            pids+=($!)
        done
        for i in "${pids[@]}"; do
            wait "$i" || problem 'a share of the faults was not tried to its end'
        done
        read -r faults wrong < <(cat "$folder"/[0-9]/sum |
            awk '{ faults += $1; wrong += $2 } END { print faults, wrong }')
        ((faults > 0)) || problem 'no fault has come about'
        echo "$scenario: $faults faults, $wrong broken promises"
        broken=$((broken + wrong))
        total=$((total + faults))
    done
    echo "from outside: $total faults, $broken broken promises"
}

folder=$(mktemp -d "$build/torture/outside.XXXXXX") || exit 1
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
begin_folder "$folder/main"
numbers=$(seq 1 2000)$'\n'
scenarios=(server-echo server-line server-chunk server-poll client-session client-poll client-ping
    client-load)
strace -D -f --seccomp-bpf -o "$dir/trace" -e trace=close -e inject=close:error=EIO:when=1 \
    "$server" --version >"$dir/probe" 2>&1
if ! grep -qs '(INJECTED)' "$dir/trace"; then
    echo "left out: faults from outside, since strace cannot inject them here: $(<"$dir/probe")"
elif [ $# -gt 1 ]; then
    set_refused_opens
    start_good_server
    run "$2" "$3"
    end_good_server
    head "$dir/trace" "$dir/log" "$dir"/output "$dir"/answer "$dir"/peer? 2>/dev/null
    echo "injected: $injected; status $status; $broken broken promises"
    exit $((broken > 0))
else
    set_refused_opens
    start_good_server
    try_all "${scenarios[@]}"
    end_good_server
fi
exit $((broken > 0))

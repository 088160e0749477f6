# Completions of echo-server for fish, made by `make completions`, from its table of options.
complete -c echo-server -f
complete -c echo-server -s p -l port -d 'port to listen on, or the name of its service; 0 takes a free one (default 9901); several as N,N,... or with the option repeated' -x
complete -c echo-server -s b -l bind -d 'address or name to listen on, may be repeated (default 127.0.0.1 and ::1; 0.0.0.0 and :: for everyone)' -x -a '(__fish_print_hostnames)'
complete -c echo-server -s m -l mode -d 'what is answered (default echo)' -x -a 'echo line chunk'
complete -c echo-server -l greeting -d 'send this line to each client first (default: nothing)' -x
complete -c echo-server -l prefix -d 'in line and chunk mode, what stands before each answer, in place of "Message received - "' -x
complete -c echo-server -l max-clients -d 'serve at most N clients at once (default: what the system allows)' -x
complete -c echo-server -l max-per-address -d 'serve at most N clients of one address at once (default: no limit)' -x
complete -c echo-server -l max-line -d 'longest line in line mode (default 65536)' -x
complete -c echo-server -l idle-timeout -d 'close connections on which nothing moves (default 0: never)' -x
complete -c echo-server -l stall-timeout -d 'close connections whose peer takes nothing (default 0: never)' -x
complete -c echo-server -l keep-alive -d 'probe clients that are silent for so long (default 0: never)' -x
complete -c echo-server -l drain-timeout -d 'after a request to stop, wait for clients (default 5)' -x
complete -c echo-server -l proxy-protocol -d 'require a header of the PROXY protocol, version 1 or 2, at the start of each connection'
complete -c echo-server -l select-all -d 'give all sockets to each select(), however many are idle'
complete -c echo-server -l select-polled -d 'poll idle sockets, also where they can announce themselves'
complete -c echo-server -l no-log-empty -d 'do not log connections that never sent a byte'
complete -c echo-server -s q -l quiet -d 'log failures only'
complete -c echo-server -s v -l verbose -d 'log also what is received in mode echo'
complete -c echo-server -s h -l help -d 'show this and exit'
complete -c echo-server -s V -l version -d 'show the version and exit'
complete -c echo-server -l delay -d 'send each answer so many milliseconds late' -x
complete -c echo-server -l jitter -d 'send each answer up to so many milliseconds later, at random; the order stays' -x
complete -c echo-server -l piece -d 'send at most so many bytes at once, a millisecond apart' -x
complete -c echo-server -l rate-limit -d 'send at most so many bytes a second on each connection' -x
complete -c echo-server -l accept-delay -d 'leave new connections in the backlog for so long' -x
complete -c echo-server -l stall-after -d 'after so many bytes of answers, neither send nor read' -x
complete -c echo-server -l mute-after -d 'after so many bytes of answers, send no more, but read on' -x
complete -c echo-server -l close-after -d 'after so many bytes of answers, end the stream, and close' -x
complete -c echo-server -l reset-after -d 'after so many bytes of answers, reset the connection' -x
complete -c echo-server -l corrupt-after -d 'after so many bytes of answers, change one bit of the next' -x
complete -c echo-server -l drop-after -d 'after so many bytes of answers, leave out the next' -x
complete -c echo-server -l duplicate-after -d 'after so many bytes of answers, send the next one twice' -x
complete -c echo-server -l seed -d 'what chance is drawn from: the same for each connection of the same number (default 1)' -x

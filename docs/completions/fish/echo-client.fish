# Completions of echo-client for fish, made by `make completions`, from its table of options.
complete -c echo-client -f -a '(__fish_print_hostnames)'
complete -c echo-client -l ping -d 'measure the round trip of one message after another'
complete -c echo-client -l load -d 'exchange as many messages as the server answers'
complete -c echo-client -s 4 -l ipv4 -d 'use IPv4 addresses of the host only'
complete -c echo-client -s 6 -l ipv6 -d 'use IPv6 addresses of the host only'
complete -c echo-client -l source -d 'local address or name to connect from (default: the system chooses)' -x -a '(__fish_print_hostnames)'
complete -c echo-client -l connect-timeout -d 'how long to try all addresses of the host; with --load, also each further connection (default 5)' -x
complete -c echo-client -l keep-alive -d 'probe a server that is silent for so long (default 0: never)' -x
complete -c echo-client -l proxy-protocol -d 'begin each connection with a header of the PROXY protocol (default: none)' -x -a 'v1 v2'
complete -c echo-client -s h -l help -d 'show this and exit'
complete -c echo-client -s V -l version -d 'show the version and exit'
complete -c echo-client -l eol -d 'what ends each line that is sent (default: lf for a line that is typed; what a pipe or file has goes as it is)' -x -a 'lf crlf none'
complete -c echo-client -l hex -d 'show what arrives as a dump, in hexadecimal and as text'
complete -c echo-client -l timestamps -d 'show when bytes arrived, and how long after the last line was sent'
complete -c echo-client -l until-server-ends -d 'leave when the server ends, whatever is still to be sent'
complete -c echo-client -l quit-after -d 'after the end of the input, leave with status 1 when the server is silent for so long (default: wait for its end)' -x
complete -c echo-client -s i -l interval -d 'time from one message to the next (default 1)' -x
complete -c echo-client -l connect-only -d 'connect for each message, send nothing and close again: measures the time to connect, to any port'
complete -c echo-client -s q -l quiet -d 'print the summary alone'
complete -c echo-client -l connections -d 'connections that exchange messages (default 1)' -x
complete -c echo-client -l pipeline -d 'messages in flight on each connection (default 1)' -x
complete -c echo-client -l duration -d 'how long to send (default 10, unless --count is given)' -x
complete -c echo-client -l rate -d 'messages a second, on all connections together, sent when they are due (default: as soon as there is room)' -x
complete -c echo-client -l idle -d 'further connections, which are only held open (default 0)' -x
complete -c echo-client -l reconnect -d 'a new connection for each message'
complete -c echo-client -l keep-going -d 'connect again after a loss or a fault, and measure each outage'
complete -c echo-client -l report -d 'print a line every SECONDS' -x
complete -c echo-client -s c -l count -d 'how many messages to send, on all connections together (default: --ping until Ctrl-C, --load for its duration)' -x
complete -c echo-client -s s -l size -d 'size of a message (default 64)' -x
complete -c echo-client -l seed -d 'what the messages are made from (default 1)' -x
complete -c echo-client -l expect -d 'what the server answers: the same, or a line of mode line (default: echo with --load; --ping finds out)' -x -a 'echo line'
complete -c echo-client -l prefix -d 'what a line of mode line begins with (default: "Message received - "); makes --expect line the default' -x
complete -c echo-client -l greeting -d 'a line that the server sends first (default: none)' -x
complete -c echo-client -l json -d 'print the report as one JSON object, and each line of --report as one'

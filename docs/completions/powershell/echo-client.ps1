# Completions of echo-client for PowerShell, made by `make completions`, from its table of options.
Register-ArgumentCompleter -Native -CommandName 'echo-client', 'echo-client.exe' -ScriptBlock {
    param($word, $line, $cursor)

    function Complete-Word($text, $help) {
        if ($text.StartsWith($word, [StringComparison]::Ordinal)) {
            [System.Management.Automation.CompletionResult]::new(
                $text, $text, 'ParameterValue', $help)
        }
    }

    # Options that take a value have choices, of which there may be none.
    $options = @(
        @{ Names = @('--ping'); Help = 'measure the round trip of one message after another' }
        @{ Names = @('--load'); Help = 'exchange as many messages as the server answers' }
        @{ Names = @('-4', '--ipv4'); Help = 'use IPv4 addresses of the host only' }
        @{ Names = @('-6', '--ipv6'); Help = 'use IPv6 addresses of the host only' }
        @{ Names = @('--source'); Choices = @(); Help = 'local address or name to connect from (default: the system chooses)' }
        @{ Names = @('--connect-timeout'); Choices = @(); Help = 'how long to try all addresses of the host; with --load, also each further connection (default 5)' }
        @{ Names = @('--keep-alive'); Choices = @(); Help = 'probe a server that is silent for so long (default 0: never)' }
        @{ Names = @('--proxy-protocol'); Choices = @('v1', 'v2'); Help = 'begin each connection with a header of the PROXY protocol (default: none)' }
        @{ Names = @('-h', '--help'); Help = 'show this and exit' }
        @{ Names = @('-V', '--version'); Help = 'show the version and exit' }
        @{ Names = @('--eol'); Choices = @('lf', 'crlf', 'none'); Help = 'what ends each line that is sent (default: lf for a line that is typed; what a pipe or file has goes as it is)' }
        @{ Names = @('--hex'); Help = 'show what arrives as a dump, in hexadecimal and as text' }
        @{ Names = @('--timestamps'); Help = 'show when bytes arrived, and how long after the last line was sent' }
        @{ Names = @('--until-server-ends'); Help = 'leave when the server ends, whatever is still to be sent' }
        @{ Names = @('--quit-after'); Choices = @(); Help = 'after the end of the input, leave with status 1 when the server is silent for so long (default: wait for its end)' }
        @{ Names = @('-i', '--interval'); Choices = @(); Help = 'time from one message to the next (default 1)' }
        @{ Names = @('--connect-only'); Help = 'connect for each message, send nothing and close again: measures the time to connect, to any port' }
        @{ Names = @('-q', '--quiet'); Help = 'print the summary alone' }
        @{ Names = @('--connections'); Choices = @(); Help = 'connections that exchange messages (default 1)' }
        @{ Names = @('--pipeline'); Choices = @(); Help = 'messages in flight on each connection (default 1)' }
        @{ Names = @('--duration'); Choices = @(); Help = 'how long to send (default 10, unless --count is given)' }
        @{ Names = @('--rate'); Choices = @(); Help = 'messages a second, on all connections together, sent when they are due (default: as soon as there is room)' }
        @{ Names = @('--idle'); Choices = @(); Help = 'further connections, which are only held open (default 0)' }
        @{ Names = @('--reconnect'); Help = 'a new connection for each message' }
        @{ Names = @('--keep-going'); Help = 'connect again after a loss or a fault, and measure each outage' }
        @{ Names = @('--report'); Choices = @(); Help = 'print a line every SECONDS' }
        @{ Names = @('-c', '--count'); Choices = @(); Help = 'how many messages to send, on all connections together (default: --ping until Ctrl-C, --load for its duration)' }
        @{ Names = @('-s', '--size'); Choices = @(); Help = 'size of a message (default 64)' }
        @{ Names = @('--seed'); Choices = @(); Help = 'what the messages are made from (default 1)' }
        @{ Names = @('--expect'); Choices = @('echo', 'line'); Help = 'what the server answers: the same, or a line of mode line (default: echo with --load; --ping finds out)' }
        @{ Names = @('--prefix'); Choices = @(); Help = 'what a line of mode line begins with (default: "Message received - "); makes --expect line the default' }
        @{ Names = @('--greeting'); Choices = @(); Help = 'a line that the server sends first (default: none)' }
        @{ Names = @('--json'); Help = 'print the report as one JSON object, and each line of --report as one' }
    )
    $before = $line.CommandElements |
        Where-Object { $_.Extent.EndOffset -lt $cursor } |
        Select-Object -Last 1
    $option = $options | Where-Object { $_.Names -ccontains "$before" }
    if ($null -ne $option.Choices) {
        foreach ($choice in $option.Choices) {
            Complete-Word $choice $choice
        }
    } else {
        foreach ($option in $options) {
            foreach ($name in $option.Names) {
                Complete-Word $name $option.Help
            }
        }
    }
}

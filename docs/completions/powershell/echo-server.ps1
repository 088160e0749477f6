# Completions of echo-server for PowerShell, made by `make completions`, from its table of options.
Register-ArgumentCompleter -Native -CommandName 'echo-server', 'echo-server.exe' -ScriptBlock {
    param($word, $line, $cursor)

    function Complete-Word($text, $help) {
        if ($text.StartsWith($word, [StringComparison]::Ordinal)) {
            [System.Management.Automation.CompletionResult]::new(
                $text, $text, 'ParameterValue', $help)
        }
    }

    # Options that take a value have choices, of which there may be none.
    $options = @(
        @{ Names = @('-p', '--port'); Choices = @(); Help = 'port to listen on, or the name of its service; 0 takes a free one (default 9901); several as N,N,... or with the option repeated' }
        @{ Names = @('-b', '--bind'); Choices = @(); Help = 'address or name to listen on, may be repeated (default 127.0.0.1 and ::1; 0.0.0.0 and :: for everyone)' }
        @{ Names = @('-m', '--mode'); Choices = @('echo', 'line', 'chunk'); Help = 'what is answered (default echo)' }
        @{ Names = @('--greeting'); Choices = @(); Help = 'send this line to each client first (default: nothing)' }
        @{ Names = @('--prefix'); Choices = @(); Help = 'in line and chunk mode, what stands before each answer, in place of "Message received - "' }
        @{ Names = @('--max-clients'); Choices = @(); Help = 'serve at most N clients at once (default: what the system allows)' }
        @{ Names = @('--max-per-address'); Choices = @(); Help = 'serve at most N clients of one address at once (default: no limit)' }
        @{ Names = @('--max-line'); Choices = @(); Help = 'longest line in line mode (default 65536)' }
        @{ Names = @('--idle-timeout'); Choices = @(); Help = 'close connections on which nothing moves (default 0: never)' }
        @{ Names = @('--stall-timeout'); Choices = @(); Help = 'close connections whose peer takes nothing (default 0: never)' }
        @{ Names = @('--keep-alive'); Choices = @(); Help = 'probe clients that are silent for so long (default 0: never)' }
        @{ Names = @('--drain-timeout'); Choices = @(); Help = 'after a request to stop, wait for clients (default 5)' }
        @{ Names = @('--proxy-protocol'); Help = 'require a header of the PROXY protocol, version 1 or 2, at the start of each connection' }
        @{ Names = @('--select-all'); Help = 'give all sockets to each select(), however many are idle' }
        @{ Names = @('--select-polled'); Help = 'poll idle sockets, also where they can announce themselves' }
        @{ Names = @('--no-log-empty'); Help = 'do not log connections that never sent a byte' }
        @{ Names = @('-q', '--quiet'); Help = 'log failures only' }
        @{ Names = @('-v', '--verbose'); Help = 'log also what is received in mode echo' }
        @{ Names = @('-h', '--help'); Help = 'show this and exit' }
        @{ Names = @('-V', '--version'); Help = 'show the version and exit' }
        @{ Names = @('--delay'); Choices = @(); Help = 'send each answer so many milliseconds late' }
        @{ Names = @('--jitter'); Choices = @(); Help = 'send each answer up to so many milliseconds later, at random; the order stays' }
        @{ Names = @('--piece'); Choices = @(); Help = 'send at most so many bytes at once, a millisecond apart' }
        @{ Names = @('--rate-limit'); Choices = @(); Help = 'send at most so many bytes a second on each connection' }
        @{ Names = @('--accept-delay'); Choices = @(); Help = 'leave new connections in the backlog for so long' }
        @{ Names = @('--stall-after'); Choices = @(); Help = 'after so many bytes of answers, neither send nor read' }
        @{ Names = @('--mute-after'); Choices = @(); Help = 'after so many bytes of answers, send no more, but read on' }
        @{ Names = @('--close-after'); Choices = @(); Help = 'after so many bytes of answers, end the stream, and close' }
        @{ Names = @('--reset-after'); Choices = @(); Help = 'after so many bytes of answers, reset the connection' }
        @{ Names = @('--corrupt-after'); Choices = @(); Help = 'after so many bytes of answers, change one bit of the next' }
        @{ Names = @('--drop-after'); Choices = @(); Help = 'after so many bytes of answers, leave out the next' }
        @{ Names = @('--duplicate-after'); Choices = @(); Help = 'after so many bytes of answers, send the next one twice' }
        @{ Names = @('--seed'); Choices = @(); Help = 'what chance is drawn from: the same for each connection of the same number (default 1)' }
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

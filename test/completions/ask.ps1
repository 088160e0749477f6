#!/usr/bin/env pwsh
# Prints what PowerShell offers for each line of its standard input, a file, and then an empty line.
#   test/completions/ask.ps1 FOLDER    FOLDER: with the completions for it
foreach ($script in Get-ChildItem "$($args[0])/*.ps1") {
    . $script
}
# Where a script offers nothing, PowerShell offers files: here are none.
$empty = New-Item -ItemType Directory (Join-Path ([IO.Path]::GetTempPath()) "completions-$PID")
Set-Location $empty
foreach ($line in Get-Content /dev/stdin) {
    (TabExpansion2 $line $line.Length).CompletionMatches.CompletionText |
        Where-Object { $_ } | env LC_ALL=C sort -u
    ''
}
Set-Location /
Remove-Item $empty

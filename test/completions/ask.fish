#!/usr/bin/env -S fish --no-config
# Prints what fish offers for each line of its standard input, and then an empty line.
#   test/completions/ask.fish FOLDER    FOLDER: with the completions for it
for script in $argv[1]/*.fish
    source $script
end
function __fish_print_hostnames
    echo server.example
end
while read line
    # Without the descriptions. With --NAME=VALUE, it offers all of it.
    complete -C $line | string replace -r '\t.*' '' | string replace -r '^--[a-z0-9-]+=' '' |
        LC_ALL=C sort -u
    echo
end

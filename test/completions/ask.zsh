#!/usr/bin/env -S zsh -f
# Prints what zsh offers for each line of its standard input, and then an empty line. A zsh at a
# pseudo-terminal gets each line and a TAB.
#   test/completions/ask.zsh FOLDER    FOLDER: with the completions for it
zmodload zsh/zpty
work=$(mktemp -d)
trap 'rm -rf $work' EXIT
cat >$work/.zshrc <<END
fpath=(${1:A} \$fpath)
autoload -Uz compinit
compinit -D
LISTMAX=10000 # lists without asking
zstyle ':completion:*' hosts server.example
zle-line-init() { print ready }
zle -N zle-line-init

# What is offered passes through here, unless it is only asked which of it fits.
compadd() {
    if [[ \${@[1,(i)(-|--)]} != *-(O|A|D)\ * ]]; then
        local -a offered
        builtin compadd -O offered "\$@"
        print -rl -- \$offered >>$work/offered
    fi
    builtin compadd "\$@"
}
END
export ZDOTDIR=$work TERM=vt100
zpty child zsh -i
zpty -r child output '*ready*'
while IFS= read -r line; do
    : >$work/offered
    zpty -w -n child $line$'\t'
    zpty -w child $'\025' # Ctrl-U takes the line back
    zpty -r child output '*ready*'
    sed '/^$/d' $work/offered | LC_ALL=C sort -u
    print
done
zpty -d child

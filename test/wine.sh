#!/bin/sh
# Runs a command with WINE set to a Wine that is ready to start programs in a prefix of its own, build/wine, and leaves
# nothing of it running.
#   test/wine.sh COMMAND [ARGUMENT]...
set -eu

# Debian's own `wine` is a script that complains on stderr when there is no 32-bit Wine.
for candidate in /usr/lib/wine/wine64 wine64 wine; do
    WINE=$(command -v "$candidate") && break
done
[ -n "$WINE" ] || {
    echo "test/wine.sh: no Wine here; run: make deps-windows" >&2
    exit 1
}
for server in "$(dirname "$WINE")/wineserver64" "$(dirname "$WINE")/wineserver" wineserver; do
    command -v "$server" >/dev/null && break
done
export WINE WINEPREFIX="$PWD/build/wine" WINEARCH=win64 WINEDEBUG=-all
# Wine need not offer to install what only browsers and .NET programs want.
export WINEDLLOVERRIDES="mscoree,mshtml="
unset DISPLAY

mkdir -p "$WINEPREFIX"
trap '"$server" -k || true' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# The first start makes the prefix, which takes seconds: not at the cost of the first test.
"$WINE" wineboot -u >/dev/null 2>&1 </dev/null || {
    echo "test/wine.sh: $WINE does not start" >&2
    exit 1
}
"$@"

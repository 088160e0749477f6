#!/bin/sh
# Runs a command with WINE set to a Wine that is ready to start programs, in a prefix of its own,
# build/wine, and leaves nothing of it running.
#   test/wine.sh COMMAND [ARGUMENT]...
set -eu

# Debian's own `wine` is a script that complains on stderr where there is no 32-bit Wine.
for candidate in /usr/lib/wine/wine64 wine64 wine; do
    WINE=$(command -v "$candidate") && break
done
[ -n "$WINE" ] || {
    echo "test/wine.sh: there is no Wine here; run: make deps-windows" >&2
    exit 1
}
for server in "${WINE%/*}/wineserver64" "${WINE%/*}/wineserver" wineserver; do
    command -v "$server" >/dev/null && break
done

export WINE WINEARCH=win64 WINEDEBUG=-all
export WINEPREFIX="$PWD/build/wine" TMPDIR="$PWD/build/wine"
# Where the DLL of cmocka is.
export WINEPATH="Z:$PWD/build/windows-deps/cmocka/bin"
# Nothing for the desktop, no offer to install what browsers and .NET programs want, and no debugger
# that writes into the console of a program that crashes.
export WINEDLLOVERRIDES="mscoree,mshtml,winemenubuilder.exe,winedbg.exe="
unset DISPLAY

finish() {
    "$server" -k || true
    rm -rf "$WINEPREFIX"/wine-*
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The first start makes the prefix, which takes seconds: not at the cost of the first test.
mkdir -p "$WINEPREFIX"
# A server that stays: one that goes with each program may be on its way out when the next one comes.
"$server" -p 2>/dev/null
"$WINE" cmd /c exit >/dev/null 2>&1 </dev/null || {
    echo "test/wine.sh: $WINE does not start" >&2
    exit 1
}
"$@"

#!/bin/sh
# Cross-builds cmocka from the source package of Debian (or Ubuntu) into build/windows-deps/cmocka:
# as a DLL, so that what a test puts in the place of malloc() is not called by cmocka too.
#   test/deps-windows.sh COMPILER
# Where source packages are is taken from the machine's own package sources, which are left as they
# are; so are its keys, with which apt-get checks all that it gets.
set -eu

work=$PWD/build/windows-deps
installed=$work/cmocka

if [ -e "$installed/include/cmocka.h" ]; then
    echo "cmocka for Windows is there"
    exit
fi

private_apt() {
    apt-get -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/sources" \
        -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" \
        -o APT::Sandbox::User="$(id -un)" "$@"
}

echo "cross-building cmocka into $installed"
rm -rf "$work"
mkdir -p "$work/sources" "$work/lists/partial" "$work/cache/archives/partial" "$work/source"
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    copy=$work/sources/${list##*/}
    [ -e "$list" ] || continue
    case $list in
    *.list) sed -n 's/^[[:space:]]*deb[[:space:]]/deb-src /p' "$list" >"$copy" ;;
    *.sources) sed 's/^Types:.*/Types: deb-src/' "$list" >"$copy" ;;
    esac
done
# Some of these may have no source packages: whether cmocka's is to be had, the next line shows.
private_apt update || true
(cd "$work/source" && private_apt source cmocka)

unset MAKEFLAGS MFLAGS MAKELEVEL # of the make that may have called this
cmake -S "$(find "$work/source" -mindepth 1 -maxdepth 1 -type d)" -B "$work/build" \
    -DCMAKE_SYSTEM_NAME=Windows -DCMAKE_C_COMPILER="$1" -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_SHARED_LINKER_FLAGS=-static-libgcc -DWITH_EXAMPLES=OFF \
    -DCMAKE_INSTALL_PREFIX="$installed"
cmake --build "$work/build"
cmake --install "$work/build"

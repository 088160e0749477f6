#!/bin/sh
# Cross-builds cmocka as a static library from the source package of Debian (or Ubuntu) into build/windows-deps/cmocka.
#   test/deps-windows.sh COMPILER
# The machine's own package sources say where source packages are; they are only read, and so are its keys, with which
# apt-get checks what it gets.
set -eu

compiler=${1:-x86_64-w64-mingw32-gcc}
work=$PWD/build/windows-deps
library=$work/cmocka/lib/libcmocka.a

if [ -e "$library" ]; then
    echo "cmocka for Windows is there"
    exit
fi

# The calling make is none of cmake's business.
unset MAKEFLAGS MFLAGS MAKELEVEL

private_apt() {
    apt-get -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/sources" \
        -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User="$(id -un)" "$@"
}

echo "cross-building cmocka into $work"
rm -rf "$work"
mkdir -p "$work/sources" "$work/lists/partial" "$work/cache/archives/partial" "$work/source"
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    copy=$work/sources/$(basename "$list")
    case $list in
    *.list) [ ! -e "$list" ] || sed -n 's/^[[:space:]]*deb[[:space:]]/deb-src /p' "$list" >"$copy" ;;
    *.sources) sed 's/^Types:.*/Types: deb-src/' "$list" >"$copy" ;;
    esac
done
# Some of the machine's sources may be without source packages: whether this one is to be had shows next.
private_apt update || true
(cd "$work/source" && private_apt source cmocka)

cmake -S "$(find "$work/source" -mindepth 1 -maxdepth 1 -type d)" -B "$work/build" \
    -DCMAKE_SYSTEM_NAME=Windows -DCMAKE_C_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Release \
    -DWITH_STATIC_LIB=ON -DBUILD_SHARED_LIBS=OFF -DWITH_EXAMPLES=OFF
cmake --build "$work/build"
mkdir -p "$work/cmocka/include" "$work/cmocka/lib"
cp "$work"/source/*/include/cmocka*.h "$work/cmocka/include/"
# Called libcmocka-static.a before version 1.1.6.
cp "$(find "$work/build" -name 'libcmocka*.a' ! -name '*.dll.a')" "$library"

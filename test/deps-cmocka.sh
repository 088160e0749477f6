#!/bin/sh
# Builds cmocka from the source package of Debian (or Ubuntu) into FOLDER/cmocka, for a compiler or
# in a release that no package is for: as a shared library, so that what a test puts in the place of
# malloc() is not called by cmocka too.
#   test/deps-cmocka.sh FOLDER CMAKE_OPTION...
# RELEASE: of Debian, such as sid; without it, the one that this machine has.
# Where source packages are is taken from the machine's own package sources, which are left as they
# are; so are its keys, with which apt-get checks all that it gets.
set -eu

installed=$PWD/$1/cmocka
built=$1/build
work=$PWD/build/cmocka-source${RELEASE:+-$RELEASE}
shift

if [ -e "$installed/include/cmocka.h" ]; then
    echo "$installed is there"
    exit
fi

private_apt() {
    apt-get -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/sources" \
        -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" \
        -o APT::Sandbox::User="$(id -un)" "$@"
}

# The folder with the source, once it is there.
unpacked() {
    find "$work/source" -mindepth 1 -maxdepth 1 -type d
}

get_source() {
    rm -rf "$work"
    mkdir -p "$work/sources" "$work/lists/partial" "$work/cache/archives/partial" "$work/source"
    for list in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
        copy=$work/sources/${list##*/}
        [ -e "$list" ] || continue
        case $list in
        *.list)
            sed -n -e 's/^[[:space:]]*deb[[:space:]]/deb-src /' \
                ${RELEASE:+-e "s,\(://[^[:space:]]*[[:space:]]*\)[^[:space:]]*,\1$RELEASE,"} \
                -e '/^deb-src/p' "$list" >"$copy"
            ;;
        *.sources)
            sed -e 's/^Types:.*/Types: deb-src/' ${RELEASE:+-e "s/^Suites:.*/Suites: $RELEASE/"} \
                "$list" >"$copy"
            ;;
        esac
    done
    # Some of these may have no source packages: whether cmocka's is to be had, the next line shows.
    private_apt update || true
    (cd "$work/source" && private_apt source cmocka)
}

[ -n "$(unpacked 2>/dev/null)" ] || get_source

echo "building cmocka into $installed"
unset MAKEFLAGS MFLAGS MAKELEVEL # of the make that may have called this
cmake -S "$(unpacked)" -B "$built" -DCMAKE_BUILD_TYPE=Release -DWITH_EXAMPLES=OFF \
    -DCMAKE_INSTALL_PREFIX="$installed" "$@"
cmake --build "$built"
cmake --install "$built"

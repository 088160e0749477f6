#!/bin/sh
# Tries what `make release-manifests` has made, and says what had to be left out.
#   test/release/check.sh RELEASE VERSION
# SCHEMAS: a folder with the schemas of scoop and winget (test/release/manifests.js), if there is
# one.
set -eu

unset MAKEFLAGS MFLAGS MAKELEVEL # of the make that has called this
jobs=-j$(nproc)
release=$PWD/$1
version=$2
work=$PWD/build/release-check
rm -rf "$work"
mkdir -p "$work"

fail() {
    echo "test/release/check.sh: $*" >&2
    exit 1
}

have() {
    command -v "$1" >/dev/null || {
        echo "left out: $2, for which there is no $1 here; run: make deps-release"
        return 1
    }
}

# The folder that an archive, which is named by its end, was unpacked to.
unpacked() {
    echo "$work/selecho-$version-$1"
}

# exchange NAME PROGRAM_END [COMMAND]: the programs of the archive NAME, run by the command, are of
# this version, and a line comes back.
exchange() {
    bin=$(unpacked "$1")/bin
    end=$2
    shift 2
    rm -f "$work/ready"
    mkfifo "$work/ready"
    for program in server client; do
        "$@" "$bin/echo-$program$end" --version | tr -d '\r' | grep -qx "echo-$program $version" ||
            fail "$bin/echo-$program$end does not say that it is $version"
    done
    "$@" "$bin/echo-server$end" --port 0 --bind 127.0.0.1 >"$work/ready" 2>"$work/log" &
    server=$!
    read -r _ _ address <"$work/ready"
    answer=$(echo hello | "$@" "$bin/echo-client$end" "$(echo "$address" | tr -d '\r')")
    kill "$server"
    wait "$server" 2>/dev/null || true
    [ "$answer" = hello ] || fail "$bin: a line did not come back: '$answer'"
    echo "$bin: right version, and a line comes back"
}

# What every archive holds; programs end with $1.
contents() {
    for name in echo-client echo-server; do
        printf '%s\n' "bin/$name$1" "share/man/man1/$name.1" "share/zsh/site-functions/_$name" \
            "share/bash-completion/completions/$name" \
            "share/fish/vendor_completions.d/$name.fish" "share/selecho/$name.ps1"
    done
    printf '%s\n' CHANGELOG.md LICENSE README.md
}

compare_contents() {
    contents "$2" | LC_ALL=C sort >"$work/expected"
    (cd "$(unpacked "$1")" && find . -type f | sed 's,^\./,,') | LC_ALL=C sort |
        diff "$work/expected" - || fail "other files are in the archive for $1"
}

check_archives() {
    (cd "$release" && sha256sum --quiet -c SHA256SUMS)
    for archive in "$release"/*linux*.tar.gz; do
        tar -xzf "$archive" -C "$work"
    done
    unzip -q "$release/selecho-$version-windows-x86_64.zip" -d "$work"
    compare_contents linux-x86_64 ''
    compare_contents linux-aarch64 ''
    compare_contents windows-x86_64 .exe
    exchange linux-x86_64 ''
    ! have qemu-aarch64-static "the programs for ARM64" ||
        exchange linux-aarch64 '' qemu-aarch64-static
    exchange windows-x86_64 .exe "$WINE"
}

# The same commit makes the same archives, in another folder as well.
check_again() {
    git clone -q . "$work/again"
    mkdir "$work/again/build"
    ln -s "$PWD/build/musl-arm64" "$work/again/build"
    make -s "$jobs" -C "$work/again" release >"$work/again.log" 2>&1 || fail "see $work/again.log"
    diff "$release/SHA256SUMS" "$work/again/build/release/SHA256SUMS" ||
        fail "the same commit does not make the same archives"
    echo "made again, in another folder: the same checksums"
}

# A release has one version, and a date.
check_notes() {
    mkdir -p "$work/notes/common"
    cp common/version.h "$work/notes/common"
    sed "s/^## $version - .*/## $version - 2026-01-31/" CHANGELOG.md >"$work/notes/CHANGELOG.md"
    notes=$PWD/test/release/notes.sh
    (cd "$work/notes" && "$notes" "v$version") >"$work/notes.md"
    grep -q . "$work/notes.md" || fail "there are no notes"
    ! grep '^## ' "$work/notes.md" || fail "the notes have a heading of CHANGELOG.md"
    ! (cd "$work/notes" && "$notes" "v$version.1") 2>/dev/null || fail "another tag was taken"
    sed -i "s/2026-01-31/unreleased/" "$work/notes/CHANGELOG.md"
    ! (cd "$work/notes" && "$notes" "v$version") 2>/dev/null || fail "no date was needed"
    echo "the notes: only for the tag v$version, and with a date"
}

check_manifests() {
    node test/release/manifests.js build/release-deps "$release/packaging" \
        "$release/selecho-$version-windows-x86_64.zip" "$work" ${SCHEMAS:+"$SCHEMAS"}
}

# Debian's tag about the bug that asks for a new package is for packages of Debian's own.
check_debian() {
    mkdir "$work/debian"
    cp "$release/selecho-$version.tar.gz" "$work/debian/selecho_$version.orig.tar.gz"
    tar -xzf "$release/selecho-$version.tar.gz" -C "$work/debian"
    cp -R "$release/packaging/debian" "$work/debian/selecho-$version"
    (cd "$work/debian/selecho-$version" && DEB_BUILD_OPTIONS=nocheck dpkg-buildpackage -us -uc -d) \
        >"$work/debian.log" 2>&1 || fail "see $work/debian.log"
    lintian --allow-root --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs \
        "$work"/debian/*.changes
    dpkg-deb -c "$work"/debian/selecho_*.deb | sed -n 's,.* \./usr/,,p' >"$work/installed"
    for file in $(contents '' | grep / | sed 's/\(man1.*\)/\1.gz/'); do
        grep -qx "$file" "$work/installed" || fail "no $file in the package for Debian"
    done
    echo "Debian: a package, of which lintian says nothing"
}

# In the place of MSYS2's compiler, the cross compiler. makepkg does not run as root.
check_msys2() {
    mkdir "$work/msys2"
    cp "$release/packaging/msys2/PKGBUILD" "$release/selecho-$version.tar.gz" "$work/msys2"
    set -- env HOME="$work/msys2" MAKEFLAGS="$jobs" PACMAN=true OS=Windows_NT \
        CC=x86_64-w64-mingw32-gcc MINGW_PREFIX=/ucrt64 \
        MINGW_PACKAGE_PREFIX=mingw-w64-ucrt-x86_64 makepkg --nodeps --nocheck
    if [ "$(id -u)" -eq 0 ]; then
        chown -R nobody "$work/msys2"
        set -- setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"
    fi
    (cd "$work/msys2" && "$@") >"$work/msys2.log" 2>&1 || fail "see $work/msys2.log"
    tar -tzf "$work"/msys2/*.pkg.tar.gz >"$work/installed"
    for file in $(contents .exe | grep /); do
        grep -qx "ucrt64/$file" "$work/installed" || fail "no $file in the package for MSYS2"
    done
    echo "MSYS2: a package"
}

check_archives
check_again
check_notes
check_manifests
! have lintian "the package for Debian" || check_debian
! have makepkg "the package for MSYS2" || check_msys2

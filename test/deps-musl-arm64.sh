#!/bin/sh
# Makes FOLDER/musl-gcc, which builds for ARM64 with musl on another processor: Debian's cross
# compiler, with the package of musl for ARM64 unpacked beside it instead of installed. It is found
# in the machine's own package sources, which are left as they are; apt-get checks it with their
# keys.
#   test/deps-musl-arm64.sh FOLDER
set -eu

mkdir -p "$1/lists/partial" "$1/cache/archives/partial"
cd "$1"
[ ! -x musl-gcc ] || exit 0

private_apt() {
    apt-get -q -o APT::Architectures::="$(dpkg --print-architecture)" \
        -o APT::Architectures::=arm64 -o Dir::State::lists="$PWD/lists" -o Dir::Cache="$PWD/cache" \
        -o APT::Sandbox::User="$(id -un)" "$@"
}

# Some of the sources may not be for ARM64: whether musl can be had, the next line shows.
private_apt update || true
private_apt download musl-dev:arm64
dpkg -x musl-dev_*_arm64.deb .
sed -i "s,/usr/,$PWD/usr/,g" usr/lib/aarch64-linux-musl/musl-gcc.specs
printf '#!/bin/sh\nexec aarch64-linux-gnu-gcc "$@" -specs %s\n' \
    "$PWD/usr/lib/aarch64-linux-musl/musl-gcc.specs" >musl-gcc
chmod +x musl-gcc

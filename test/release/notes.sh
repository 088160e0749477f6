#!/bin/sh
# Prints what CHANGELOG.md says of the release that a tag names. Fails unless the tag,
# common/version.h and the first section of CHANGELOG.md have the same version, and that section has
# a date.
#   test/release/notes.sh vVERSION
set -eu

fail() {
    echo "test/release/notes.sh: $*" >&2
    exit 1
}

version=$(sed -n 's/.*define VERSION "\(.*\)"/\1/p' common/version.h)
heading=$(grep -m 1 '^## ' CHANGELOG.md)
[ "$1" = "v$version" ] || fail "the tag is $1, but common/version.h has $version"
echo "$heading" | grep -qE "^## $version - [0-9]{4}-[0-9]{2}-[0-9]{2}\$" ||
    fail "CHANGELOG.md begins with '$heading'; it should begin with '## $version - YYYY-MM-DD'"
awk '/^## / && ++sections > 1 { exit } sections && !/^## /' CHANGELOG.md

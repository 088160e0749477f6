#!/bin/sh
# Packs a folder so that the same files always make the same bytes: in the order of their names, as
# nobody's, with the time SOURCE_DATE_EPOCH, in seconds since 1970. Removes the folder.
#   test/release/pack.sh FOLDER tar.gz|zip
set -eu

name=${1##*/}
cd "$(dirname "$1")"
case $2 in
tar.gz)
    LC_ALL=C tar --format=ustar --sort=name --owner=0 --group=0 --numeric-owner \
        --mtime="@$SOURCE_DATE_EPOCH" -cf - "$name" | gzip -n9 >"$name.tar.gz"
    ;;
zip)
    find "$name" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
    find "$name" | LC_ALL=C sort | TZ=UTC0 zip -qX9 -@ "$name.zip"
    ;;
esac
rm -r "$name"

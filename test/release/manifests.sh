#!/bin/sh
# Copies the templates of docs/deploy/packaging into a folder and fills in what a release decides.
#   test/release/manifests.sh RELEASE FOLDER    RELEASE: the folder that `make release` has made
# VERSION; HOMEPAGE: what stands before /releases/download/vVERSION/ARCHIVE; MAINTAINER: who packs
# for Debian, "NAME <ADDRESS>"; SOURCE_DATE_EPOCH: when, in seconds since 1970.
set -eu

sum() {
    sed -n "s/^\([0-9a-f]*\)  $1\$/\1/p" "$release/SHA256SUMS" | grep .
}

release=$1
source=$(sum "selecho-$VERSION.tar.gz")
windows=$(sum "selecho-$VERSION-windows-x86_64.zip")
date=$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")
rm -rf "$2"
mkdir -p "$2"
cp -R docs/deploy/packaging/*/ "$2"
find "$2" -type f -exec sed -i -e "s|@VERSION@|$VERSION|g" -e "s|@HOMEPAGE@|$HOMEPAGE|g" \
    -e "s|@MAINTAINER@|$MAINTAINER|g" -e "s|@DATE@|$date|g" \
    -e "s|@SHA256_SOURCE@|$source|g" -e "s|@SHA256_WINDOWS@|$windows|g" {} +
! grep -rn '@[A-Z0-9_]*@' "$2" || exit 1

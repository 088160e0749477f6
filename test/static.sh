#!/bin/sh
# Says how large each static program is, and fails when one is larger than promised or needs anything
# of the system but its kernel.
#   test/static.sh PROGRAM...
set -eu

largest=250000 # bytes
status=0
command -v readelf >/dev/null || { echo "test/static.sh: there is no readelf here"; exit 1; }
for program in "$@"; do
    size=$(wc -c <"$program")
    echo "$program: $size bytes"
    if [ "$size" -ge "$largest" ]; then
        echo "$program: TOO LARGE: $largest bytes or more"
        status=1
    fi
    if readelf -ldW "$program" | grep -e INTERP -e NEEDED; then
        echo "$program: NOT STATIC"
        status=1
    fi
done
exit "$status"

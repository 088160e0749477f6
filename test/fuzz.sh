#!/bin/sh
# Runs the fuzz targets, as many at once as there are processors; called by `make fuzz`.
#   test/fuzz.sh FOLDER SECONDS [NAME]
# The targets are FOLDER/fuzz_*; NAME is one of them. Each begins with its inputs in test/fuzz/corpus
# and keeps new ones in FOLDER. An input that breaks a promise stays there too, and its path is
# printed.
set -eu

folder=$1
seconds=$2

if [ $# -eq 2 ]; then
    for source in test/fuzz/fuzz_*.c; do
        basename "$source" .c
    done | xargs -P "$(nproc)" -n 1 "$0" "$folder" "$seconds"
    exit
fi

name=$3
log=$folder/$name.log
mkdir -p "$folder/corpus/$name"
if "$folder/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$folder/$name-" "$folder/corpus/$name" "test/fuzz/corpus/$name" \
    >"$log" 2>&1; then
    echo "$name: nothing broken in $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs"
else
    echo "$name: FAILED"
    tail -n 40 "$log"
    exit 1
fi

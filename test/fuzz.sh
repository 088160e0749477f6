#!/bin/sh
# Runs each fuzz target; called by `make fuzz`.
#   test/fuzz.sh FOLDER SECONDS
# The targets are FOLDER/fuzz_*. Each begins with its inputs in test/fuzz/corpus and keeps new ones in
# FOLDER. An input that breaks a promise stays there too, and its path is printed.
set -eu

folder=$1
seconds=$2
status=0

for source in test/fuzz/fuzz_*.c; do
    name=$(basename "$source" .c)
    mkdir -p "$folder/corpus/$name"
    log=$folder/$name.log
    if "$folder/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="$folder/$name-" \
        "$folder/corpus/$name" "test/fuzz/corpus/$name" >"$log" 2>&1; then
        echo "$name: nothing broken in $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs"
    else
        echo "$name: FAILED"
        tail -n 40 "$log"
        status=1
    fi
done
exit "$status"

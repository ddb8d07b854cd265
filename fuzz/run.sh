#!/usr/bin/env bash
# Fuzzes parse, check and fmt one after the other, with the examples and tests as seeds. Any stable Rust will do.
# usage: fuzz/run.sh [SECONDS] [TARGET…]     seconds for each target, 60 if nothing is said
# A crash ends it; the input is in fuzz/artifacts/TARGET. `cargo fuzz run -s none TARGET` does the same by hand.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
seconds=${1:-60}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(parse check fmt)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/fuzz

# Coverage without a sanitizer: there is no unsafe code to watch.
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
  -Cllvm-args=-sanitizer-coverage-trace-compares"
host=$(rustc -vV | sed -n 's/^host: //p')
# With a target named, build scripts and macros are not instrumented.
cargo build --release --target "$host" --bins

seeds=$(mktemp -d)
trap 'rm -rf "$seeds"' EXIT
find ../examples ../tests -name '*.dbjob' -not -path '*/node_modules/*' | while read -r file; do
  cp "$file" "$seeds/$(tr "/" "_" <<<"${file#../}")"
done
# The words of the language, so that they are put together in other ways.
cat "$seeds"/* | grep -oE '[a-z_]{2,}|[-+*/%=<>!?.]{1,3}' | sort | uniq -c | awk '$1 > 2 { printf "\"%s\"\n", $2 }' >dictionary

for target in "${targets[@]}"; do
  mkdir -p "corpus/$target" "artifacts/$target"
  "$CARGO_TARGET_DIR/$host/release/$target" "corpus/$target" "$seeds" -dict=dictionary -max_len=4096 -timeout=10 \
    -rss_limit_mb=2048 -max_total_time="$seconds" -artifact_prefix="artifacts/$target/" -print_final_stats=1
done

#!/usr/bin/env bash
# The overhead benchmark: `dbjob run` against a hand-written Rust polars program of the same query. See README.md.
# usage: bench/run.sh [ROUNDS]     CACHE names the folder of the data (default ~/.cache/dbjob/bench)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
cache=${CACHE:-$HOME/.cache/dbjob/bench}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}

"$here/fetch.sh" "$cache"
cargo build --release --manifest-path "$root/Cargo.toml" --bin dbjob
# The peer takes the very versions of the project.
cp "$root/Cargo.lock" "$here/peer/Cargo.lock"
cargo build --release --manifest-path "$here/peer/Cargo.toml"
cp "$here/flights3m.dbjob" "$cache/"
exec python3 "$here/measure.py" "$cache" "$CARGO_TARGET_DIR/release/dbjob" "$CARGO_TARGET_DIR/release/dbjob-bench-peer" "$@"

#!/usr/bin/env bash
# The same algorithms with dbjob, scikit-learn, LightGBM and XGBoost on real data. See README.md.
# usage: bench/learning/run.sh [OPTIONS OF run.py]     bench/learning/run.sh --algorithms random_forest --sets adult --rounds 5
# CACHE names the folder of the data and of Python's packages (default ~/.cache/dbjob/bench)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/setup.sh"
"$here/fetch.sh" "$data" "$python"
"$python" "$here/prepare.py" "$data"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}
cargo build --quiet --release --manifest-path "$root/Cargo.toml" -p dbjob-learn --example bench
exec "$python" "$here/run.py" "$CARGO_TARGET_DIR/release/examples/bench" "$data" "$@"

#!/usr/bin/env bash
# How fast `dbjob check` is, beside SQLMesh and dbt. See README.md.
# usage: bench/check/run.sh [--alone] [OPTIONS OF run.py]     --alone: without the peers
# CACHE names the folder of the peers (default ~/.cache/dbjob/bench)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$(dirname "$here")")
cache=${CACHE:-$HOME/.cache/dbjob/bench}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}

# A Python environment with these packages; made once.
venv() {
  local folder=$cache/$1
  if [ ! -f "$folder/made" ]; then
    python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet "${@:2}"
    touch "$folder/made"
  fi
}

cargo build --release --manifest-path "$root/Cargo.toml" --bin dbjob
dbjob=$CARGO_TARGET_DIR/release/dbjob
if [ "${1:-}" = --alone ]; then
  shift
  exec python3 "$here/run.py" "$dbjob" "$@"
fi
mkdir -p "$cache"
venv sqlmesh sqlmesh==0.236.4
venv dbt dbt-core==1.9.11 dbt-duckdb==1.9.6
exec python3 "$here/run.py" "$dbjob" --sqlmesh "$cache/sqlmesh/bin/python" --dbt "$cache/dbt/bin/dbt" "$@"

#!/usr/bin/env bash
# The same jobs with dbjob, python-polars, DuckDB, pandas and PySpark. See README.md.
# usage: bench/engine/run.sh [ROWS…] [OPTIONS OF run.py]     bench/engine/run.sh 1000000 3000000 --rounds 5
# CACHE names the folder of the data and of Python's packages (default ~/.cache/dbjob/bench)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/setup.sh"
rows=()
while [[ "${1:-}" =~ ^[0-9]+$ ]]; do
  rows+=("$1")
  shift
done
[ ${#rows[@]} -gt 0 ] && set -- --rows "${rows[@]}" "$@"
exec "$python" "$here/run.py" "$dbjob" "$cache/engine" "$@"

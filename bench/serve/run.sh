#!/usr/bin/env bash
# Requests a second and latencies of `dbjob serve`, of a bare axum handler that reads the same JSON, of FastAPI with scikit-learn and of
# `mlflow models serve` with an equal model: side by side, by turns, on this machine. Needs wrk (apt) and python3 with venv.
# usage: bench/serve/run.sh   SECONDS (10) a measurement, ROUNDS (3), CONNECTIONS ("1 16 64"), DBJOB (the release build)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
dbjob=${DBJOB:-$target/release/dbjob}
seconds=${SECONDS_EACH:-10} rounds=${ROUNDS:-3} connections=${CONNECTIONS:-1 16 64}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/dbjob/bench/serve
command -v wrk > /dev/null || { apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq wrk > /dev/null; }
bare=${BARE:-$target/release/examples/bare}
[ -x "$bare" ] || cargo build --release --manifest-path "$root/Cargo.toml" -p dbjob-serve --example bare
mkdir -p "$cache"
venv=$cache/venv
if ! cmp -s "$here/requirements.txt" "$venv/wanted"; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$venv/wanted"
fi
work=$(mktemp -d)
pids=()
trap 'for p in "${pids[@]}"; do kill -- "-$p" 2> /dev/null || true; done; rm -rf "$work"' EXIT
cp -r "$root/examples/data" "$work/data"
cp "$root/examples/article.dbjob" "$work/"
"$dbjob" run "$work/article.dbjob" -q > /dev/null
"$venv/bin/python" "$here/peers.py" prepare "$work" "$work/data/user-product-data.csv" > /dev/null 2>&1
cores=$(nproc)
start() { setsid "$@" > /dev/null 2>&1 & pids+=($!); }
start "$dbjob" serve "$work/models/into_cart" --bind 127.0.0.1:8191
start "$bare" 127.0.0.1:8192
start "$venv/bin/python" "$here/peers.py" serve "$work" 8193 "$cores"
start env PATH="$venv/bin:$PATH" "$venv/bin/mlflow" models serve -m "$work/mlflow" -p 8194 --env-manager local --workers "$cores"
row='{"user-id": 5, "product-id": 2, "price": 12.5}'
wait_for() {
  for _ in $(seq 300); do
    curl -sf -o /dev/null -H 'Content-Type: application/json' -d "$2" "$1" && return
    sleep 0.2
  done
  echo "no answer from $1" >&2
  exit 1
}
wait_for http://127.0.0.1:8191/predict "$row"
wait_for http://127.0.0.1:8192/predict "$row"
wait_for http://127.0.0.1:8193/predict "$row"
wait_for http://127.0.0.1:8194/invocations "{\"dataframe_records\": [$row]}"
measure() { FORM=$3 wrk -t1 -c"$4" -d"${seconds}s" -s "$here/post.lua" "$2" | sed -n "s/^RESULT/$1 $4/p"; }
for _ in $(seq "$rounds"); do
  for c in $connections; do
    measure bare http://127.0.0.1:8192/predict predict "$c"
    measure dbjob http://127.0.0.1:8191/predict predict "$c"
    measure fastapi http://127.0.0.1:8193/predict predict "$c"
    measure mlflow http://127.0.0.1:8194/invocations mlflow "$c"
  done
done | tee "$work/results" >&2
python3 "$here/table.py" "$work/results"

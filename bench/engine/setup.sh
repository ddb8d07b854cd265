# Sourced by the scripts beside it: builds dbjob, makes the Python environment once. Sets root, cache, python, dbjob.
root=$(cd "$here/../.." && pwd)
cache=${CACHE:-$HOME/.cache/dbjob/bench}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}
if [ -z "${DBJOB:-}" ]; then
  cargo build --release --manifest-path "$root/Cargo.toml" --bin dbjob
  DBJOB=$CARGO_TARGET_DIR/release/dbjob
fi
dbjob=$DBJOB
mkdir -p "$cache"
if [ ! -f "$cache/engine-venv/made" ]; then
  python3 -m venv "$cache/engine-venv"
  "$cache/engine-venv/bin/pip" install --quiet \
    polars==2.1.0 duckdb==2.0.1 pandas==3.1.1 pyarrow==26.0.1 scikit-learn==1.9.1 pyspark==4.3.0
  touch "$cache/engine-venv/made"
fi
python=$cache/engine-venv/bin/python

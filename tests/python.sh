#!/usr/bin/env bash
# Runs the Python tests of a folder (test_*.py), with what its requirements.txt asks for, against a build of dbjob. Needs
# python3 with venv; DBJOB names the binary (default: the release build).
# usage: tests/python.sh FOLDER [OPTIONS OF unittest discover]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
here=$(cd "$1" && pwd)
shift
export DBJOB=${DBJOB:-${CARGO_TARGET_DIR:-$root/target}/release/dbjob}
[ -x "$DBJOB" ] || { echo "no binary at $DBJOB: cargo build --release, or set DBJOB" >&2; exit 1; }
venv=$here/.venv
wanted=$(sha256sum "$here/requirements.txt" | cut -d' ' -f1)
if [ "$(cat "$venv/wanted" 2>/dev/null)" != "$wanted" ]; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
  printf '%s\n' "$wanted" > "$venv/wanted"
fi
exec "$venv/bin/python" -m unittest discover --start-directory "$here" --pattern 'test_*.py' "$@"

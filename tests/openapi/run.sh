#!/usr/bin/env bash
# Validates the JSON Schema and OpenAPI documents of `dbjob describe` with independent validators. Needs python3 with venv; DBJOB names the binary
# (default: the release build).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
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

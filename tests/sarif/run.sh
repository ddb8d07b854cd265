#!/usr/bin/env bash
# Validates SARIF logs of `dbjob check` against the published schema. Needs node and npm; DBJOB names the binary
# (default: the release build).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
export DBJOB=${DBJOB:-${CARGO_TARGET_DIR:-$root/target}/release/dbjob}
[ -x "$DBJOB" ] || { echo "no binary at $DBJOB: cargo build --release, or set DBJOB" >&2; exit 1; }
cd "$here"
wanted=$(sha256sum package.json)
if [ ! -f node_modules/.wanted ] || [ "$(cat node_modules/.wanted)" != "$wanted" ]; then
  npm install --no-package-lock --no-audit --no-fund --loglevel=error
  printf '%s\n' "$wanted" > node_modules/.wanted
fi
node validate.mjs

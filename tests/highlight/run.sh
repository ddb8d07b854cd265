#!/usr/bin/env bash
# Tokenises job files with VS Code's engine and packs the extension. Needs node and npm.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
wanted=$(sha256sum package.json)
if [ ! -f node_modules/.wanted ] || [ "$(cat node_modules/.wanted)" != "$wanted" ]; then
  npm install --no-package-lock --no-audit --no-fund --loglevel=error
  printf '%s\n' "$wanted" > node_modules/.wanted
fi
node highlight.mjs
node pack.mjs

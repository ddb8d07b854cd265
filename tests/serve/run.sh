#!/usr/bin/env bash
# Asks a server of `dbjob serve` with the clients that people use. See ../python.sh. Installs curl and Chromium where they are missing
# (apt). CASES: how many cases schemathesis makes up (10000 is the whole; default 300). SWAPS: how many requests are sent while versions
# change (100000 is the whole; default 5000).
# usage: tests/serve/run.sh [OPTIONS OF unittest discover]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
missing=()
command -v curl > /dev/null || missing+=(curl)
command -v openssl > /dev/null || missing+=(openssl)
{ command -v chromium && command -v chromedriver; } > /dev/null || missing+=(chromium chromium-driver)
if [ ${#missing[@]} -gt 0 ]; then
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" > /dev/null
fi
exec "$here/../python.sh" "$here" "$@"

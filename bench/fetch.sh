#!/usr/bin/env bash
# Puts the benchmark's data into a folder: 3,000,000 US flights of 2001 and the airports (npm vega-datasets 3.2.1,
# 17 MB; flights are US government data, the package is BSD-3). Needs npm.
# usage: fetch.sh CACHE
set -euo pipefail
cache=$(realpath -m "${1:?usage: fetch.sh CACHE}")
mkdir -p "$cache"
if [ -f "$cache/flights-3m.parquet" ] && [ -f "$cache/airports.csv" ]; then exit 0; fi
download=$(mktemp -d "$cache/.download.XXXXXX")
trap 'rm -rf "$download"' EXIT
(cd "$download" && npm pack --silent vega-datasets@3.2.1 >/dev/null && tar xzf vega-datasets-3.2.1.tgz)
mv "$download/package/data/airports.csv" "$download/package/data/flights-3m.parquet" "$cache/"

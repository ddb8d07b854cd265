#!/usr/bin/env bash
# What a run costs that has nothing to do: over 1 GB and over 10 GB of inputs, in 1,000 files. See README.md.
# usage: bench/engine/noop.sh [GB…]     CACHE names the folder of the data (default ~/.cache/dbjob/bench)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/setup.sh"
exec "$python" "$here/noop.py" "$dbjob" "$cache/engine/noop" "$@"

#!/usr/bin/env bash
# A job over 10 GB of inputs within 2 GiB of memory. See README.md.
# usage: bench/engine/larger.sh [GB] [MIB]     CACHE names the folder of the data (default ~/.cache/dbjob/bench)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/setup.sh"
exec "$python" "$here/larger.py" "$dbjob" "$cache/engine/larger" "$@"

#!/usr/bin/env bash
# Runs jobs on disks that are full or read-only, with a clock that jumps, and with another program that writes into their
# data. Needs Linux; small file systems are mounted in a namespace of their own, so that neither root nor cleaning up is needed.
# See ../python.sh.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ "$(uname)" != Linux ]; then
  echo "these tests mount file systems as Linux does; not run here" >&2
  exit 0
fi
if ! ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1; then
  (apt-get install -y faketime || sudo apt-get install -y faketime) >/dev/null 2>&1 ||
    { echo "libfaketime is not there and cannot be installed (apt-get install faketime)" >&2; exit 1; }
fi
exec unshare --user --map-root-user --mount "$here/../python.sh" "$here" "$@"

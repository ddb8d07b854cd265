#!/usr/bin/env bash
# Reads from and writes to an S3 server of this machine. See ../python.sh.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec "$here/../python.sh" "$here" "$@"

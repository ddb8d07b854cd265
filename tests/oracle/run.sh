#!/usr/bin/env bash
# Compares what dbjob computes with independent engines. See ../python.sh.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec "$here/../python.sh" "$here" "$@"

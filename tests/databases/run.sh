#!/usr/bin/env bash
# Reads from and writes to real servers, PostgreSQL and MariaDB, which it starts itself (from apt, where they are missing).
# See ../python.sh.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec "$here/../python.sh" "$here" "$@"

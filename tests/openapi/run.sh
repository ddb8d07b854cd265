#!/usr/bin/env bash
# Validates the JSON Schema and OpenAPI documents of `dbjob describe` with independent validators. See ../python.sh.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec "$here/../python.sh" "$here" "$@"

#!/usr/bin/env bash
# Compares what onnxruntime makes of exported models with `dbjob predict`. See ../python.sh.
# usage: tests/onnx/run.sh [--write] [OPTIONS OF unittest discover]   --write: the table of docs/onnx.md anew
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ "${1:-}" = --write ]; then
  shift
  export WRITE_TABLE=1
fi
exec "$here/../python.sh" "$here" "$@"

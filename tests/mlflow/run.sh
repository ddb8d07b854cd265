#!/usr/bin/env bash
# Logs models to a real MLflow server and asks them there. See ../python.sh.
# usage: tests/mlflow/run.sh [OPTIONS OF unittest discover]
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec "$here/../python.sh" "$here" "$@"

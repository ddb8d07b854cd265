#!/usr/bin/env bash
# Every test of the project. Needs Rust, node with npm, and python3 with venv; the network for npm and pip the first time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cargo fmt --all --check
# What has no polars to check first: most of the code.
cargo clippy --release --no-default-features --all-targets -p dbjob -p dbjob-plan -p dbjob-learn -p dbjob-onnx -p dbjob-registry -p dbjob-drift -p dbjob-mlflow -- -D warnings
cargo test --release --workspace
cargo build --release
tests/highlight/run.sh
tests/sarif/run.sh
tests/oracle/run.sh
tests/onnx/run.sh
tests/mlflow/run.sh
tests/openapi/run.sh
tests/serve/run.sh
tests/databases/run.sh
tests/objects/run.sh
tests/faults/run.sh

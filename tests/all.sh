#!/usr/bin/env bash
# Every test of the project. Needs Rust, node with npm, and python3 with venv; the network for npm and pip the first time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cargo fmt --all --check
# The front end alone: it has most of the code and no polars to check first.
cargo clippy --release --no-default-features --all-targets -- -D warnings
cargo test --release --workspace
cargo build --release
tests/highlight/run.sh
tests/sarif/run.sh
tests/oracle/run.sh
tests/onnx/run.sh
tests/openapi/run.sh
tests/databases/run.sh
tests/objects/run.sh
tests/faults/run.sh

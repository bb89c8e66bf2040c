#!/usr/bin/env bash
# Counts the instructions of every kernel over one session and compares them with benches/instructions.txt; fails when one
# grew by more than 3 %. `--accept` writes the counts there instead. Needs valgrind and gungraun-runner 0.20.0.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p target
cargo bench --workspace --bench instructions -- --output-format=json > target/instructions.json
cargo build --release --workspace --bin instructions --example shared # as the tests are built
target/release/instructions "$@" < target/instructions.json

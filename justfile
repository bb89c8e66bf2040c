# The index of what can be run here: `just` lists it, `just NAME` runs it. Each line is an ordinary command.

# What a submission must pass
ci:
    .ci/run

# The tests
test:
    cargo test --release --workspace

# Every command of GUIDE.md and docs/, in order, with what it must print
guide:
    scripts/guide

# Style
style:
    cargo fmt --all --check
    cargo clippy --release --workspace --all-targets -- -D warnings

# The reference pages in docs that are made from definitions
docs:
    UPDATE_DOCS=1 cargo test --release --workspace --lib reference

# Instructions of each kernel against the baseline; --accept writes them there
instructions *ARGS:
    benches/instructions.sh {{ARGS}}

# Kernels and rivals -> benches/RESULTS.md
results:
    cargo run --release -p benches --features peers --bin results

# S3 beside a directory
bench-s3:
    cargo bench --workspace --bench s3

# Every fuzz target for its share of SECONDS
fuzz SECONDS="60":
    scripts/fuzz {{SECONDS}}

# A day through Databento's live client, at SPEED times real time
gateway SPEED="100":
    scripts/gateway {{SPEED}}

# Damaged files: what became of each
corrupt COUNT="10000":
    scripts/corrupt {{COUNT}}

# Trades of random specifications against the scan of every look-ahead
labels ROWS="100000000":
    scripts/labels {{ROWS}}

# The published months as one table, by every engine that can be had
table:
    scripts/table

# The publishing protocol: schedules, model, pauses, broken lines
schedules COUNT="10000":
    scripts/schedules {{COUNT}}

# Rolls on 184 months, in order, in reverse and in one file
rolls *RANGE:
    scripts/rolls {{RANGE}}

# Lines that the tests run
coverage:
    scripts/coverage

# Whether the tests notice broken kernels
mutants *ARGS:
    scripts/mutants {{ARGS}}

# The kernels' small tests under Miri
miri:
    scripts/miri

# From raw files to reports under the address sanitizer
address:
    scripts/address

# The kernels for 64-bit ARM, under qemu
aarch64:
    scripts/aarch64

# Ceph's gateway: the conformance list, or the command that follows
radosgw *COMMAND:
    scripts/radosgw {{COMMAND}}

# boto3 and the aws command line beside harness, on Ceph's gateway
interop:
    scripts/radosgw python3 scripts/interop

# The same month as pandas, Polars, DuckDB and Spark write it
encodings *WRITERS:
    scripts/encodings {{WRITERS}}

# How fast daily files, CSV and trades are read
inputs:
    scripts/inputs

# Bars of real trades against a plain aggregation in Python
trades FILE ROOT *ARGS:
    scripts/trades {{FILE}} {{ROOT}} {{ARGS}}

# Months of the roots with a preset: score, rolls against the truth, features within their ranges
presets *ROOTS:
    scripts/presets {{ROOTS}}

# The Python wheel, --with-command-line
wheel *ARGS:
    scripts/wheel {{ARGS}}

# The wheel from clean virtual environments: tests, types, style, doctests, notebook
python:
    scripts/python

# Months on Ray
ray *ARGS:
    scripts/ray {{ARGS}}

# Months on Slurm
slurm *ARGS:
    scripts/slurm {{ARGS}}

# The same months on Ray and Slurm at once
ray-and-slurm:
    scripts/ray-and-slurm

# What a month costs on S3
month-cost:
    scripts/month-cost

# Months served second by second, held to what the batch writes
live MONTHS='2' *FILES:
    scripts/live {{MONTHS}} {{FILES}}

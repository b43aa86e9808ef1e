# Short names for what people do every day. Each recipe is one line on purpose: the work is in scripts/, which needs no `just`.

# List the recipes.
default:
    @just --list

# Everything CI runs; changes no tracked file.
verify:
    scripts/test

# Format the code. The only recipe that writes to tracked files.
fix:
    cargo fmt --all

# Try to break one promise on real processes, e.g. `just prove S1` or `just prove A1 --short`.
prove PROMISE *ARGS:
    scripts/prove {{PROMISE}} {{ARGS}}

# Shows that the proofs find the bugs planted for them; builds the second build.
prove-plants:
    scripts/prove-plants

# One node on loopback with a demo server, a person and a grant.
dev *ARGS:
    cargo run --release -- dev {{ARGS}}

# Benchmarks (criterion) of every crate that has them.
bench *ARGS:
    cargo bench --workspace {{ARGS}}

# What the gateway costs, beside floors and nginx in one run, e.g. `just loadtest` or `just loadtest idle`.
loadtest *ARGS:
    scripts/loadtest {{ARGS}}

# Fuzz one target with cargo-fuzz (needs a nightly toolchain); `scripts/test` drives the same targets on stable with the corpus.
fuzz TARGET *ARGS:
    cd fuzz && cargo +nightly fuzz run {{TARGET}} {{ARGS}}

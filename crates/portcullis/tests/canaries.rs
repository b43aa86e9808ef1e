//! The search for canaries over the real binary, as part of every test run. The same proof runs at any length as
//! `scripts/prove S1`, and there has to find its planted bugs.

use std::path::Path;

use cluster::{proofs::s1, verdict::Verdict};

/// The seed of this run: fixed, so that a failure repeats. The recipe draws others.
const SEED: u64 = 17;

/// D17, D08, S1: canaries stand for the secrets, and none is found in answers, logs, command line, process or files.
#[tokio::test(flavor = "multi_thread")]
async fn d17_no_canary_is_found_outside_the_connection_it_belongs_to() {
    let binary = Path::new(env!("CARGO_BIN_EXE_portcullis"));
    let verdict = s1::prove(binary, SEED, None).await.expect("the proof runs");
    assert!(matches!(verdict, Verdict::Holds(_)), "{verdict:?}");
}

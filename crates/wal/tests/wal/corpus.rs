//! Drives the fuzz target over the committed corpus and bounded mutations of it.

use std::{fs, path::Path};

use seams::{Entropy, SeededEntropy};
use wal::fuzzing::wal_segment_recover;

/// How many mutations of each file are tried.
const MUTATIONS: u64 = 400;

/// B06, B07: whatever stands in a segment, recovery does not panic, and what it keeps reads back.
#[test]
fn b06_the_corpus_and_its_mutations_are_recovered_or_refused() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/wal_segment_recover");
    let mut with_records = 0;
    for entry in fs::read_dir(dir).expect("the corpus is committed") {
        let bytes = fs::read(entry.expect("the corpus lists").path()).expect("the corpus reads");
        with_records += usize::from(wal_segment_recover(&bytes));
        for seed in 0..MUTATIONS {
            wal_segment_recover(&mutated(&bytes, seed));
        }
    }
    assert!(with_records >= 3, "the corpus holds segments with records");
}

/// Up to four bytes changed, and sometimes the end cut.
fn mutated(bytes: &[u8], seed: u64) -> Vec<u8> {
    let entropy = SeededEntropy::new(seed);
    let draw = |below: usize| {
        let number = u64::from_le_bytes(seams::entropy::array(&entropy));
        usize::try_from(number % (below.max(1) as u64)).expect("below a length")
    };
    let mut mutated = bytes.to_vec();
    for _ in 0..=draw(4) {
        let at = draw(mutated.len());
        let mut byte = [0];
        entropy.fill(&mut byte);
        if let Some(changed) = mutated.get_mut(at) {
            *changed = byte[0];
        }
    }
    if draw(3) == 0 {
        mutated.truncate(draw(mutated.len()));
    }
    mutated
}

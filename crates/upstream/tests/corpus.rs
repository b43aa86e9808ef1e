//! Drives each fuzz target over its committed corpus and a bounded number of mutations with a fixed seed. The long runs
//! are cargo-fuzz's (`fuzz/README.md`).

use std::path::Path;

use proptest::{
    collection::vec,
    prelude::*,
    sample::Index,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use upstream::fuzzing;

/// Mutations tried of each target: about a second unoptimised.
const ROUNDS: u32 = 20_000;

/// Pieces that mean something to the grammars under test.
const PIECES: &[&[u8]] = &[
    b".",
    b":",
    b"/",
    b"@",
    b"\\",
    b"#",
    b"?",
    b"[",
    b"]",
    b"%2e",
    b"0x",
    b"0",
    b"127",
    b"::",
    b"::ffff:",
    b"localhost",
    b"169.254.169.254",
    b"xn--",
    b"https://",
    b"\x80",
    b"\xa0",
    b"\xc0",
    b"\xf0",
    b"\xd0",
    b"\xe1",
    b"\\u00",
    b"&#x",
];

/// One change: at a place, so many bytes make room for a piece or for a byte.
type Change = (Index, usize, Result<Index, u8>);

/// D12: what is accepted as a server's URL.
#[test]
fn d12_an_accepted_url_names_no_address_inside() {
    drive("url_ssrf_guard", fuzzing::url_ssrf_guard);
}

/// D08: what passes the redactor.
#[test]
fn d08_no_form_of_the_secret_passes() {
    drive("redactor_stream", fuzzing::redactor_stream);
}

fn drive(name: &str, target: fn(&[u8]) -> bool) {
    let corpus = corpus(name);
    assert!(corpus.iter().filter(|input| target(input)).count() > 0, "the corpus of {name} tests nothing");
    let change =
        (any::<Index>(), 0_usize..4, prop_oneof![any::<Index>().prop_map(Ok), any::<u8>().prop_map(Err)]);
    let config = ProptestConfig { cases: ROUNDS, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let ran = runner.run(&(proptest::sample::select(corpus), vec(change, 1..5)), |(input, changes)| {
        target(&changed(input, &changes));
        Ok(())
    });
    if let Err(error) = ran {
        panic!("{name}: {error}");
    }
}

fn changed(mut input: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for (place, gone, with) in changes {
        let at = place.index(input.len() + 1);
        let end = (at + gone).min(input.len());
        match with {
            Ok(piece) => input.splice(at..end, piece.get(PIECES).iter().copied()).for_each(drop),
            Err(byte) => input.splice(at..end, [*byte]).for_each(drop),
        }
    }
    input
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a folder is listed").path())
        .collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).expect("a corpus file is read")).collect()
}

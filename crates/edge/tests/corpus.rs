//! Drives the fuzz target over its committed corpus and a bounded number of mutations with a fixed seed. The long runs
//! are cargo-fuzz's (`fuzz/README.md`).

use std::path::Path;

use edge::fuzzing;
use proptest::{
    collection::vec,
    prelude::*,
    sample::Index,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};

/// Mutations tried: about a second unoptimised.
const ROUNDS: u32 = 10_000;

/// Pieces that mean something to the framing of HTTP/1.1.
const PIECES: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"\0",
    b" ",
    b"\t",
    b":",
    b";x=y",
    b",",
    b"+",
    b"0x",
    b"0",
    b"5",
    b"content-length: 5\r\n",
    b"transfer-encoding: chunked\r\n",
    b"chunked",
    b"identity",
    b"HTTP/1.1",
    b"GET / HTTP/1.1\r\nhost: a\r\n\r\n",
];

/// One change: at a place, so many bytes make room for a piece or for a byte.
type Change = (Index, usize, Result<Index, u8>);

/// C14: what goes on has one reading.
#[test]
fn c14_what_passes_has_the_same_requests_in_it_to_everybody() {
    let corpus = corpus("http1_request");
    let tested = corpus.iter().filter(|input| fuzzing::http1_request(input)).count();
    assert!(tested > 0, "the corpus tests nothing");
    let change =
        (any::<Index>(), 0_usize..4, prop_oneof![any::<Index>().prop_map(Ok), any::<u8>().prop_map(Err)]);
    let config = ProptestConfig { cases: ROUNDS, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let ran = runner.run(&(proptest::sample::select(corpus), vec(change, 1..5)), |(input, changes)| {
        fuzzing::http1_request(&changed(input, &changes));
        Ok(())
    });
    if let Err(error) = ran {
        panic!("{error}");
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

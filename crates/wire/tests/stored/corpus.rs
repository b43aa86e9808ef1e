//! Drives each fuzz target over its committed corpus and a bounded number of mutations, on stable and the same way
//! on every machine. The long runs are cargo-fuzz's (`fuzz/README.md`); this holds what they have found.

use std::{fs, path::Path};

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use wire::fuzzing;

/// Mutations for each target: a second or two unoptimised.
const MUTATIONS: u32 = 20_000;

#[test]
fn a_log_entry_is_refused_or_has_one_encoding() {
    drive("raft_command_decode", fuzzing::raft_command_decode);
}

#[test]
fn a_snapshot_is_refused_or_has_one_encoding() {
    drive("snapshot_decode", fuzzing::snapshot_decode);
}

/// Runs `target` over its corpus and mutations of it; at least one file must get past the target's first check.
fn drive(name: &str, target: fn(&[u8]) -> bool) {
    let corpus = read_corpus(name);
    let accepted = corpus.iter().filter(|input| target(input)).count();
    assert!(accepted > 0, "the corpus of {name} tests nothing: every input is refused at the door");
    let config = Config { cases: MUTATIONS, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let mutant = (select(corpus.clone()), vec(edit(corpus), 1..5));
    let outcome = runner.run(&mutant, |(mut bytes, edits)| {
        for edit in edits {
            edit.apply(&mut bytes);
        }
        target(&bytes);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("target {name}: {error}"));
}

/// One change to an input.
#[derive(Clone, Debug)]
enum Edit {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Truncate(Index),
}

fn edit(corpus: Vec<Vec<u8>>) -> impl Strategy<Value = Edit> {
    let piece = (select(corpus), any::<Index>(), 0usize..64).prop_map(|(other, from, length)| {
        let from = from.index(other.len() + 1);
        other[from..other.len().min(from + length)].to_vec()
    });
    prop_oneof![
        any::<(Index, u8)>().prop_map(|(at, byte)| Edit::Set(at, byte)),
        (any::<Index>(), vec(any::<u8>(), 1..4)).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        (any::<Index>(), piece).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        (any::<Index>(), 1usize..8).prop_map(|(at, length)| Edit::Remove(at, length)),
        any::<Index>().prop_map(Edit::Truncate),
    ]
}

impl Edit {
    fn apply(self, bytes: &mut Vec<u8>) {
        match self {
            Self::Set(at, byte) if !bytes.is_empty() => {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            Self::Set(..) => {}
            Self::Insert(at, inserted) => {
                let at = at.index(bytes.len() + 1);
                bytes.splice(at..at, inserted);
            }
            Self::Remove(at, length) => {
                let at = at.index(bytes.len() + 1);
                bytes.drain(at..bytes.len().min(at + length));
            }
            Self::Truncate(at) => bytes.truncate(at.index(bytes.len() + 1)),
        }
    }
}

fn read_corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("the folder can be listed").path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).expect("the file can be read")).collect()
}

//! Drives each fuzz target over its committed corpus and a bounded number of mutations, on stable and the same way
//! on every machine. The long runs are cargo-fuzz's (`fuzz/README.md`); this holds what they have found.
//!
//! A failure prints the target, the seed and the input as hexadecimal digits, so that it can be added to the corpus.

use std::fmt::Write;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use mcp::fuzzing;

/// Mutations of each corpus file: 230,000 inputs in all, some two seconds unoptimised.
const ROUNDS: u64 = 2_000;

/// Changes made to one input at most, before it is tried.
const MAX_CHANGES: u64 = 4;

/// Pieces that are meaningful to the grammars under test, for insertion.
const PIECES: [&[u8]; 24] = [
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"\\u006e",
    b"\\ud83d\\ude00",
    b"\"name\":\"x\",",
    b"\"Name\":\"x\",",
    b"\"params\":{},",
    b"\"id\":1,",
    b"-0",
    b"1e400",
    b"9007199254740993",
    "\u{17f}".as_bytes(),
    "\u{212a}".as_bytes(),
    b"\n",
    b"\r",
    b"data: ",
    b"id: 1",
    b"Mcp-Name: echo\n",
    b"=?base64?ZWNobw==?=",
];

#[test]
fn c01_to_c13_what_is_accepted_reads_alike_to_exact_and_loose_decoders() {
    drive("jsonrpc_strict", fuzzing::jsonrpc_strict);
}

#[test]
fn c09_accepted_headers_and_their_mirrors_tell_what_the_body_tells() {
    drive("mcp_headers", fuzzing::mcp_headers);
}

#[test]
fn d04_streams_mean_the_same_however_they_are_cut() {
    drive("sse_stream", fuzzing::sse_stream);
}

/// Runs `target` over its corpus and mutations of it; at least one file must get past the target's first check.
fn drive(name: &str, target: fn(&[u8]) -> bool) {
    let corpus = read_corpus(name);
    let accepted = corpus.iter().filter(|input| try_input(name, 0, target, input)).count();
    assert!(accepted > 0, "the corpus of {name} tests nothing: every input is refused at the door");
    for (file, input) in corpus.iter().enumerate() {
        for round in 0..ROUNDS {
            let seed = (file as u64) << 32 | (round + 1);
            let mut random = Xorshift::new(seed);
            let other = &corpus[random.below(corpus.len() as u64)];
            let mutant = mutate(input, other, &mut random);
            try_input(name, seed, target, &mutant);
        }
    }
}

fn try_input(name: &str, seed: u64, target: fn(&[u8]) -> bool, input: &[u8]) -> bool {
    catch_unwind(|| target(input)).unwrap_or_else(|_| {
        let hex = input.iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("a String takes every write");
            hex
        });
        panic!("target {name} failed, seed {seed:#x}, input (hex) {hex}");
    })
}

fn read_corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a folder is listed").path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).expect("a corpus file is read")).collect()
}

fn mutate(input: &[u8], other: &[u8], random: &mut Xorshift) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=random.below(MAX_CHANGES) {
        let at = random.below(bytes.len() as u64 + 1);
        let end = (at + random.below(8)).min(bytes.len());
        match random.below(6) {
            0 => bytes.insert(at, random.next().to_le_bytes()[0]),
            1 => drop(bytes.drain(at..end)),
            2 => drop(bytes.splice(at..at, PIECES[random.below(PIECES.len() as u64)].iter().copied())),
            3 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            4 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            _ if !other.is_empty() => {
                let from = random.below(other.len() as u64);
                let to = (from + random.below(64)).min(other.len());
                bytes.splice(at..end, other[from..to].iter().copied());
            }
            _ => {}
        }
    }
    bytes
}

/// Marsaglia's xorshift64*: small, and the same everywhere.
struct Xorshift(u64);

impl Xorshift {
    fn new(seed: u64) -> Self {
        Xorshift(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: u64) -> usize {
        usize::try_from((self.next() >> 11) % bound).expect("bounds are lengths")
    }
}

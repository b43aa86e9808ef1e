//! A snapshot that is not exactly what was written is refused.

use std::io;

use authority::{
    event::{Number, Revision},
    name::Name,
    node::{Epoch, Id as NodeId, Node},
    principal::{Id as PrincipalId, Kind, Principal},
    snapshot::Parts,
    time::Wall,
};

use super::*;

fn parts() -> Parts {
    let person = |name: &str| {
        let id = PrincipalId::parse(name).expect("a name");
        let (display_name, groups) = ("".into(), [Name::parse("staff").expect("a name")].into());
        Principal { id, kind: Kind::Person, display_name, groups, suspended: false }.into()
    };
    Parts {
        cluster: Some(Name::parse("demo").expect("a name")),
        time: Wall(1_700_000_000_000),
        revision: Revision(7),
        last_event: Number(9),
        principals: vec![person("ana"), person("ben")],
        nodes: vec![Node { id: NodeId(1), epoch: Epoch(2) }],
        ..Parts::default()
    }
}

fn written(parts: &Parts) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(parts, &mut bytes).expect("a vector takes every write");
    bytes
}

/// The frames of a snapshot, without its magic.
fn frames(bytes: &[u8]) -> Vec<&[u8]> {
    let mut frames = Vec::new();
    let mut rest = &bytes[MAGIC.len()..];
    while let Some(length) = rest.first_chunk::<4>() {
        let length = usize::try_from(u32::from_le_bytes(*length)).expect("a length fits");
        let (frame, after) = rest.split_at(8 + length);
        frames.push(frame);
        rest = after;
    }
    frames
}

fn joined(frames: &[&[u8]]) -> Vec<u8> {
    [MAGIC.as_slice()].iter().chain(frames).flat_map(|part| part.iter().copied()).collect()
}

#[test]
fn what_was_written_reads_back() {
    for parts in [Parts::default(), parts()] {
        assert_eq!(read(&mut &*written(&parts)).expect("a snapshot"), parts);
    }
}

#[test]
fn a_snapshot_cut_anywhere_is_refused() {
    let whole = written(&parts());
    for length in 0..whole.len() {
        let refused = read(&mut &whole[..length]).expect_err("it is not whole");
        let cut = matches!(refused, ReadFailed::CutShort { .. } | ReadFailed::NotASnapshot);
        assert!(cut, "cut at {length}: {refused}");
    }
}

#[test]
fn a_flipped_bit_anywhere_is_refused() {
    let whole = written(&parts());
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&mut &*flipped).is_err(), "bit {bit}");
    }
}

#[test]
fn an_item_that_is_missing_repeated_moved_or_behind_the_end_is_refused() {
    let whole = written(&parts());
    let all = frames(&whole);
    let [header, ana, ben, node, end] = all[..] else { panic!("five items") };
    assert_eq!(joined(&all), whole);
    let refused = |frames: &[&[u8]]| read(&mut &*joined(frames)).expect_err("it is not what was written");
    assert!(matches!(refused(&[ana, ben, node, end]), ReadFailed::OutOfPlace { item: 0 }));
    assert!(matches!(refused(&[header, ana, node, end]), ReadFailed::Count { items: 2, counted: 3 }));
    assert!(matches!(refused(&[header, ana, ana, node, end]), ReadFailed::OutOfPlace { item: 2 }));
    assert!(matches!(refused(&[header, ben, ana, node, end]), ReadFailed::OutOfPlace { item: 2 }));
    assert!(matches!(refused(&[header, node, ana, ben, end]), ReadFailed::OutOfPlace { item: 2 }));
    assert!(matches!(refused(&[header, header, ana, ben, end]), ReadFailed::OutOfPlace { item: 1 }));
    assert!(matches!(refused(&[header, ana, ben, node]), ReadFailed::CutShort { items: 4 }));
    assert!(matches!(refused(&[header, ana, ben, node, end, end]), ReadFailed::Trailing));
}

#[test]
fn a_snapshot_of_another_format_says_so() {
    let mut bytes = MAGIC.to_vec();
    let header = pb::SnapshotHeader { format: 2, ..Default::default() };
    let item = pb::SnapshotItem { item: Some(pb::snapshot_item::Item::Header(header)) };
    frame::write(&mut bytes, &mut Vec::new(), &item).expect("a vector takes every write");
    assert!(matches!(read(&mut &*bytes), Err(ReadFailed::UnknownFormat { format: 2 })));
    assert!(matches!(read(&mut &b"PK\x03\x04 something else"[..]), Err(ReadFailed::NotASnapshot)));
}

#[test]
fn an_item_beyond_its_bound_is_neither_written_nor_read() {
    let huge = "x".repeat(usize::try_from(MAX_ITEM_BYTES).expect("it fits"));
    let mut parts = parts();
    parts.principals = vec![Principal { display_name: huge.into(), ..(*parts.principals[0]).clone() }.into()];
    let error = write(&parts, &mut io::sink()).expect_err("it is too long");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    let long = [MAGIC.as_slice(), &u32::MAX.to_le_bytes(), &[0; 4]].concat();
    assert!(matches!(read(&mut &*long), Err(ReadFailed::TooLong { item: 0, bytes: u32::MAX })));
}

/// An input that fails, as a disk does.
struct Failing;

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the disk is gone"))
    }
}

#[test]
fn a_failing_input_is_told_from_a_damaged_snapshot() {
    let whole = written(&parts());
    let mut input = (&whole[..40]).chain(Failing);
    assert!(matches!(read(&mut input), Err(ReadFailed::Io(_))));
}

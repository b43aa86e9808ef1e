//! Snapshots that are whole, damaged, unfinished and too many.

use std::{fs, sync::Arc};

use authority::{
    command::{self, Body, Command, FoundCluster},
    event::{Actor, Revision},
    name::Name,
    request,
    time::Wall,
};
use openraft::CommittedLeaderId;
use seams::{Disk, SystemDisk};
use tempfile::TempDir;

use super::*;
use crate::type_config::LogId;

fn meta(index: u64) -> SnapshotMeta {
    let last = LogId::new(CommittedLeaderId::new(1, 1), index);
    SnapshotMeta { last_log_id: Some(last), snapshot_id: format!("at {index}"), ..SnapshotMeta::default() }
}

fn founded(cluster: &str) -> Authority {
    let mut authority = Authority::new();
    let body = Body::FoundCluster(FoundCluster { cluster: Name::parse(cluster).expect("a name") });
    let command = Command { request: request::Id([1; 16]), actor: Actor::Founder, time: Wall(5), body };
    command::apply(&mut authority, &command, Revision(3));
    authority
}

fn opened(dir: &TempDir) -> (SnapshotStore, Option<Loaded>) {
    SnapshotStore::open(dir.path().to_owned(), Arc::new(SystemDisk)).expect("the snapshots open")
}

fn names(dir: &TempDir) -> Vec<String> {
    SystemDisk.list(dir.path()).expect("it is listed")
}

/// A directory with a snapshot of each of these entries, in clusters named for them.
fn with_snapshots(indexes: &[u64]) -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let (store, _) = opened(&dir);
    for index in indexes {
        store.write(&meta(*index), &founded(&format!("c{index}"))).expect("it is written");
    }
    dir
}

#[test]
fn the_newest_snapshot_is_loaded_and_the_two_newest_are_kept() {
    let dir = with_snapshots(&[10, 20, 30]);
    let (store, loaded) = opened(&dir);
    let loaded = loaded.expect("there is one");
    assert_eq!(loaded.meta, meta(30));
    assert_eq!(snapshot::parts(&loaded.authority), snapshot::parts(&founded("c30")));
    assert_eq!(names(&dir), ["00000000000000000020-000000.snapshot", "00000000000000000030-000000.snapshot"]);
    assert_eq!(*store.log_spare_through().borrow(), Some(20));
}

/// A29: a flipped bit, wherever it is, makes the snapshot unusable, and the one before is taken.
#[test]
fn a29_a_damaged_newest_snapshot_falls_back_to_the_one_before() {
    let source = with_snapshots(&[10, 20]);
    let newest = names(&source).pop().expect("there is one");
    let bytes = fs::read(source.path().join(&newest)).expect("it is read");
    for at in 0..bytes.len() {
        let dir = with_snapshots(&[10, 20]);
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x04;
        fs::write(dir.path().join(&newest), flipped).expect("it is written");
        let (store, loaded) = opened(&dir);
        assert_eq!(loaded.expect("the one before").meta, meta(10), "byte {at}");
        assert_eq!(store.current().map(|(meta, _)| meta), Some(meta(10)));
        assert_eq!(*store.log_spare_through().borrow(), None);
    }
}

/// A29: a snapshot that is cut short anywhere, or goes on after its end, is unusable.
#[test]
fn a29_a_truncated_or_overlong_snapshot_is_not_used() {
    let source = with_snapshots(&[10]);
    let name = names(&source).pop().expect("there is one");
    let bytes = fs::read(source.path().join(&name)).expect("it is read");
    let longer = [&bytes[..], b"x"].concat();
    for content in (0..bytes.len()).map(|end| &bytes[..end]).chain([&longer[..]]) {
        fs::write(source.path().join(&name), content).expect("it is written");
        let failed = SnapshotStore::open(source.path().to_owned(), Arc::new(SystemDisk)).map(drop);
        assert!(matches!(failed, Err(OpenSnapshotsFailed::AllDamaged { .. })), "{} bytes", content.len());
        fs::rename(source.path().join(format!("{name}.damaged")), source.path().join(&name))
            .expect("moved back");
    }
}

/// A31 in part: a crash while a snapshot is written leaves an unfinished file, which is not a snapshot.
#[test]
fn a31_an_unfinished_snapshot_is_removed_at_the_next_start() {
    let dir = with_snapshots(&[10]);
    fs::write(dir.path().join("00000000000000000020-000000.snapshot.tmp"), b"half").expect("it is written");
    let (_, loaded) = opened(&dir);
    assert_eq!(loaded.expect("the finished one").meta, meta(10));
    assert_eq!(names(&dir), ["00000000000000000010-000000.snapshot"]);
}

#[test]
fn two_snapshots_of_the_same_entry_have_names_of_their_own() {
    let dir = with_snapshots(&[10, 10]);
    assert_eq!(names(&dir), ["00000000000000000010-000000.snapshot", "00000000000000000010-000001.snapshot"]);
}

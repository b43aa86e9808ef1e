//! openraft's storage suite over the real store, and what the store does with disks that lose, change or refuse.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use authority::{enforcement::Gate, name::Name, node};
use openraft::{
    CommittedLeaderId, EntryPayload, RaftLogReader,
    storage::RaftLogStorage,
    testing::{StoreBuilder, Suite},
};
use seams::{ManualClock, SystemDisk};
use tempfile::TempDir;

use super::{
    disk_log::{DiskLog, LogFailed},
    key::Key,
    record,
    sled_files::SledFiles,
    watermark::FILE_NAME,
    *,
};
use crate::{
    identity::Identity, snapshot_store::SnapshotStore, state_machine::StateMachine, test_disk::TestDisk,
};

/// Builds the store and the state machine for openraft's suite.
struct Builder;

impl StoreBuilder<TypeConfig, LogStore, StateMachine, TempDir> for Builder {
    async fn build(&self) -> Result<(TempDir, LogStore, StateMachine), StorageError> {
        let dir = tempfile::tempdir().expect("a directory");
        let disk: seams::SharedDisk = Arc::new(SystemDisk);
        let (log, _thread, _contents) =
            open(dir.path().join("log"), Arc::clone(&disk)).await.expect("a new log");
        let (snapshots, loaded) =
            SnapshotStore::open(dir.path().join("snapshots"), disk).expect("no snapshots");
        let clock = Arc::new(ManualClock::new(0));
        let machine = StateMachine::new(loaded, Arc::new(Gate::new()), clock, Arc::new(snapshots));
        Ok((dir, log, machine))
    }
}

/// A36 in part: the suite appends, truncates, purges, re-applies and transfers in every order openraft does.
#[test]
fn openrafts_storage_suite_holds() {
    Suite::test_all(Builder).expect("the suite holds");
}

fn log_id(index: u64) -> LogId {
    LogId::new(CommittedLeaderId::new(1, 1), index)
}

fn entry(index: u64) -> Entry {
    Entry { log_id: log_id(index), payload: EntryPayload::Blank }
}

fn entries(indexes: std::ops::Range<u64>) -> Vec<Entry> {
    indexes.map(entry).collect()
}

fn opened(dir: &Path) -> DiskLog {
    DiskLog::open(dir, &SystemDisk).expect("the log opens")
}

fn damage(dir: &Path) -> Damage {
    match DiskLog::open(dir, &SystemDisk).map(drop) {
        Err(OpenLogFailed::Damaged(damage)) => damage,
        other => panic!("the log should be found damaged, and it was {other:?}"),
    }
}

/// A log of the entries 0 to 9 and a vote, closed.
fn ten_entries() -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let mut log = opened(dir.path());
    log.save_vote(&Vote::new_committed(1, 1)).expect("it is saved");
    log.append(&entries(0..10)).expect("they are appended");
    dir
}

/// Changes the log behind its back, through sled itself, so that only our own checks can notice.
fn behind_its_back(dir: &Path, change: impl FnOnce(&sled::Db)) {
    let db = SledFiles::open(&dir.join("sled")).expect("sled opens");
    change(&db);
    db.flush().expect("sled writes");
}

#[test]
fn what_was_acknowledged_is_there_after_a_restart() {
    let dir = ten_entries();
    let mut log = opened(dir.path());
    assert_eq!(log.contents().vote, Some(Vote::new_committed(1, 1)));
    assert_eq!(log.contents().last, Some(log_id(9)));
    log.truncate(8).expect("it is truncated");
    log.purge(&log_id(2)).expect("it is purged");
    drop(log);
    let log = opened(dir.path());
    assert_eq!((log.contents().purged, log.contents().last), (Some(log_id(2)), Some(log_id(7))));
    let indexes: Vec<_> =
        log.entries(0, u64::MAX).expect("they are read").iter().map(|entry| entry.log_id.index).collect();
    assert_eq!(indexes, [3, 4, 5, 6, 7]);
}

#[test]
fn an_entry_that_does_not_follow_is_refused_and_ends_the_log() {
    let dir = ten_entries();
    let mut log = opened(dir.path());
    assert!(matches!(log.append(&entries(11..12)), Err(LogFailed::NotNext { index: 11, last: 9 })));
    assert!(matches!(log.append(&entries(10..11)), Err(LogFailed::AfterFailure)));
}

/// A28: a bit of a record that flipped is noticed, by index.
#[test]
fn a28_a_flipped_bit_in_an_entry_refuses_the_start_and_names_the_entry() {
    let dir = ten_entries();
    behind_its_back(dir.path(), |db| {
        let key = Key::Entry(4).bytes();
        let mut value = db.get(key).expect("sled reads").expect("it is there").to_vec();
        let last = value.len() - 1;
        value[last] ^= 1;
        db.insert(key, value).expect("sled writes");
    });
    let found = damage(dir.path());
    assert!(matches!(found, Damage::Entry { index: 4 }));
    assert!(found.to_string().contains("entry 4"), "{found}");
}

/// A28: a record in another's place is noticed although its own bytes are whole.
#[test]
fn a28_an_entry_in_the_place_of_another_refuses_the_start() {
    let dir = ten_entries();
    behind_its_back(dir.path(), |db| {
        let other = db.get(Key::Entry(5).bytes()).expect("sled reads").expect("it is there");
        db.insert(Key::Entry(4).bytes(), other).expect("sled writes");
    });
    assert!(matches!(damage(dir.path()), Damage::Entry { index: 4 }));
    behind_its_back(dir.path(), |db| {
        let key = Key::Entry(4).bytes();
        let forged = record::seal(key.as_ref(), &crate::raft_message::encode_entry(&entry(5)));
        db.insert(key, forged).expect("sled writes");
    });
    assert!(matches!(damage(dir.path()), Damage::Misplaced { index: 4, says: 5 }));
}

/// A28: a hole is noticed and never served.
#[test]
fn a28_a_missing_entry_refuses_the_start() {
    let dir = ten_entries();
    behind_its_back(dir.path(), |db| {
        db.remove(Key::Entry(4).bytes()).expect("sled writes");
    });
    assert!(matches!(damage(dir.path()), Damage::Hole { index: 4, found: 5 }));
}

/// A28: what sled would pass off as the end of its log is noticed, because it was acknowledged.
#[test]
fn a28_a_log_that_lost_its_acknowledged_end_refuses_the_start() {
    let dir = ten_entries();
    behind_its_back(dir.path(), |db| {
        db.remove(Key::Entry(9).bytes()).expect("sled writes");
    });
    assert!(matches!(damage(dir.path()), Damage::Shortened { index: 9, acknowledged: 9 }));
}

#[test]
fn a_vote_that_went_back_refuses_the_start() {
    let dir = ten_entries();
    behind_its_back(dir.path(), |db| {
        db.remove(Key::Vote.bytes()).expect("sled writes");
    });
    assert!(matches!(damage(dir.path()), Damage::VoteWentBack { .. }));
}

#[test]
fn a_log_without_its_watermark_and_a_watermark_without_its_log_refuse_the_start() {
    let dir = ten_entries();
    let (mark, aside) = (dir.path().join(FILE_NAME), dir.path().join("aside"));
    fs::rename(&mark, &aside).expect("it is moved");
    assert!(matches!(damage(dir.path()), Damage::Watermark { .. }));
    fs::rename(&aside, &mark).expect("it is moved back");
    opened(dir.path());
    fs::remove_dir_all(dir.path().join("sled")).expect("it is removed");
    assert!(matches!(damage(dir.path()), Damage::Gone { .. }));
}

/// A28 on the raw file: whatever byte of sled's file changes, the log is either whole or refused; never shorter.
#[test]
fn a28_no_changed_byte_of_the_file_makes_an_acknowledged_entry_disappear() {
    let source = ten_entries();
    let file = source.path().join("sled").join("db");
    let used =
        fs::read(&file).expect("it is read").iter().rposition(|byte| *byte != 0).expect("it is not empty")
            + 1;
    for at in (0..used).step_by((used / 60).max(1)) {
        let dir = copy_of(source.path());
        let file = dir.path().join("sled").join("db");
        let mut bytes = fs::read(&file).expect("it is read");
        bytes[at] ^= 0x10;
        fs::write(&file, bytes).expect("it is written");
        let path = dir.path().to_owned();
        // sled panics on some of these; the thread of the store turns that into a refusal, and so does this one.
        let outcome = std::thread::spawn(move || {
            DiskLog::open(&path, &SystemDisk)
                .map(|log| log.entries(0, u64::MAX).expect("they are read").len())
        });
        if let Ok(Ok(count)) = outcome.join() {
            assert_eq!(count, 10, "byte {at}");
        }
    }
}

/// A27: what was written and never acknowledged may be torn anywhere; it is cut, and everything before it is there.
#[test]
fn a27_a_torn_tail_that_nobody_was_told_of_is_cut() {
    const CUTS: usize = 24;
    let before = ten_entries();
    let after = copy_of(before.path());
    opened(after.path()).append(&entries(10..20)).expect("they are appended");
    let file = |dir: &Path| dir.join("sled").join("db");
    let old = fs::read(file(before.path())).expect("it is read");
    let new = fs::read(file(after.path())).expect("it is read");
    let changed: Vec<usize> = (0..new.len()).filter(|at| old.get(*at) != new.get(*at)).collect();
    let mut cut_some = false;
    for cut in 0..CUTS {
        // As if the crash came in the middle of the write: its first bytes are there, and its watermark is not.
        let dir = copy_of(before.path());
        let from = changed[cut * changed.len() / CUTS];
        let mut torn = new.clone();
        torn[from..].fill(0);
        fs::write(file(dir.path()), torn).expect("it is written");
        let read = opened(dir.path()).entries(0, u64::MAX).expect("they are read");
        let indexes: Vec<u64> = read.iter().map(|entry| entry.log_id.index).collect();
        assert!(
            indexes.len() >= 10 && indexes.iter().copied().eq(0..indexes.len() as u64),
            "{from}: {indexes:?}"
        );
        cut_some |= indexes.len() < 20;
    }
    assert!(cut_some, "no cut tore the tail, so the test says nothing");
}

/// A25: a sync that failed once is never tried again, although the next would say that all is well.
#[test]
fn a25_after_a_failed_sync_nothing_is_acknowledged_any_more() {
    let dir = ten_entries();
    let disk = TestDisk::default();
    let mut log = DiskLog::open(dir.path(), &disk).expect("the log opens");
    disk.fail_syncs(true);
    assert!(matches!(log.append(&entries(10..11)), Err(LogFailed::Sync(_))));
    disk.fail_syncs(false);
    assert!(matches!(log.save_vote(&Vote::new(9, 1)), Err(LogFailed::AfterFailure)));
    assert!(matches!(log.append(&entries(11..12)), Err(LogFailed::AfterFailure)));
    drop(log);
    assert_eq!(opened(dir.path()).contents().vote, Some(Vote::new_committed(1, 1)));
}

#[tokio::test]
async fn requests_after_the_thread_has_ended_get_an_error() {
    let dir = ten_entries();
    let (mut log, thread, contents) =
        open(dir.path().to_owned(), Arc::new(SystemDisk)).await.expect("the log opens");
    assert_eq!(contents.next(), 10);
    assert_eq!(log.try_get_log_entries(3..5).await.expect("they are read").len(), 2);
    thread.close().await;
    assert!(log.get_log_state().await.is_err());
    opened(dir.path());
}

#[tokio::test]
async fn the_identity_is_there_after_a_restart() {
    let dir = ten_entries();
    let identity =
        Identity { node: node::Id(1), cluster: Name::parse("test").expect("a name"), directory: [7; 16] };
    let (log, thread, _) = open(dir.path().to_owned(), Arc::new(SystemDisk)).await.expect("the log opens");
    log.save_identity(identity.clone()).await.expect("it is saved");
    thread.close().await;
    assert_eq!(opened(dir.path()).contents().identity, Some(identity));
}

fn copy_of(dir: &Path) -> TempDir {
    let copy = tempfile::tempdir().expect("a directory");
    let mut dirs: Vec<(PathBuf, PathBuf)> = vec![(dir.to_owned(), copy.path().to_owned())];
    while let Some((from, to)) = dirs.pop() {
        fs::create_dir_all(&to).expect("it is made");
        for entry in fs::read_dir(&from).expect("it is listed") {
            let entry = entry.expect("it is listed");
            let to = to.join(entry.file_name());
            if entry.file_type().expect("it has a type").is_dir() {
                dirs.push((entry.path(), to));
            } else {
                fs::copy(entry.path(), to).expect("it is copied");
            }
        }
    }
    copy
}

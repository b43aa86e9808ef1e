//! A2: everything recorded reaches the archive once, in order and without a gap, wherever a step or a life ends.

use std::collections::BTreeSet;

use authority::{
    node::Epoch,
    record::{Body, Seq},
};
use ledger::{
    archiver::StepFailed,
    entry::Content,
    reader::Query,
    store::{CHECKPOINTS, SEGMENTS, VERIFIER},
    verify::Broken,
};
use proptest::{collection::vec, prelude::*, test_runner::Config};

use crate::world::{Fate, World, key};

#[tokio::test]
async fn records_and_events_are_archived_and_verify() {
    let world = World::new();
    world.call("read_file").await;
    world.cluster.revoke(crate::world::GRANT);
    world.archive().await;
    let report = world.verify().await.expect("the archive is whole");
    // Five commands with two events each; the start of the epoch, an intent and its outcome.
    assert_eq!((report.height, report.events, report.records, report.edges), (1, 10, 3, 1));
    assert_eq!((report.size, report.root), (world.head().size, world.head().root));
    assert_eq!(report.ignored, Vec::<String>::new());
    assert!(report.from < report.to);
    world.verify_up_to(&world.head()).await.expect("it reaches the committed head");
    let verifier =
        std::fs::read_to_string(world.dir.path().join(VERIFIER)).expect("the key is beside the files");
    assert_eq!(verifier.trim_end(), key().to_string());
}

/// The events of a head's own commit wait for the next head that something else causes, or heads would never end.
#[tokio::test]
async fn a_head_commit_alone_makes_no_new_head() {
    let world = World::new();
    world.archive().await;
    assert_eq!(world.head().height, 1);
    for _ in 0..3 {
        world.archive().await;
    }
    assert_eq!(world.head().height, 1);
    world.call("read_file").await;
    world.archive().await;
    assert_eq!(world.head().height, 2);
    let report = world.verify().await.expect("the archive is whole");
    assert_eq!(report.events, 10, "the events of the first commit came with the second");
}

/// Between the segment and its head: the file is no part of the archive, and is reported.
#[tokio::test]
async fn a_segment_whose_head_was_not_committed_is_ignored_and_reported() {
    let world = World::new();
    world.call("read_file").await;
    *world.cluster.fate.lock().expect("unpoisoned") = Fate::Lost;
    let failed = world.archiver().step().await;
    assert!(matches!(failed, Err(StepFailed::Head(_))), "{failed:?}");
    assert!(matches!(world.verify().await, Err(Broken::Empty)));
    *world.cluster.fate.lock().expect("unpoisoned") = Fate::Answered;
    world.archive().await;
    let report = world.verify().await.expect("the archive is whole");
    assert_eq!((report.height, report.records, report.ignored.len()), (1, 3, 1));
}

/// Between the head and its checkpoint: the next start signs it.
#[tokio::test]
async fn a_checkpoint_that_a_crash_left_out_is_signed_by_the_next_start() {
    let mut world = World::new();
    world.call("read_file").await;
    *world.cluster.fate.lock().expect("unpoisoned") = Fate::Unanswered;
    let failed = world.archiver().step().await;
    assert!(matches!(failed, Err(StepFailed::Head(_))), "{failed:?}");
    assert_eq!(world.head().height, 1);
    *world.cluster.fate.lock().expect("unpoisoned") = Fate::Answered;
    world.restart(true);
    world.archive().await;
    let report = world.verify().await.expect("the archive is whole");
    // The second head holds the start of the new epoch.
    assert_eq!((report.height, report.records, report.ignored.len()), (2, 4, 0));
}

/// The same without a restart: the archiver finds out what was committed and goes on.
#[tokio::test]
async fn a_lost_answer_costs_nothing_but_the_step() {
    let world = World::new();
    let mut archiver = world.archiver();
    *world.cluster.fate.lock().expect("unpoisoned") = Fate::Unanswered;
    assert!(archiver.step().await.is_err());
    *world.cluster.fate.lock().expect("unpoisoned") = Fate::Answered;
    world.call("read_file").await;
    archiver.step().await.expect("it goes on");
    assert_eq!(world.verify().await.expect("the archive is whole").height, 2);
    assert_eq!(world.files(CHECKPOINTS).len(), 2);
}

/// Two archivers, as after a pause: the authority takes one head, and the loser's file is ignored.
#[tokio::test]
async fn of_two_archivers_one_commits_and_the_other_goes_on_behind_it() {
    let world = World::new();
    let (mut one, mut other) = (world.archiver(), world.archiver());
    for tool in ["a", "b", "c"] {
        world.call(tool).await;
        one.step().await.expect("it grows");
        world.call(tool).await;
        other.step().await.expect("it grows");
    }
    let report = world.verify().await.expect("the archive is whole");
    assert_eq!((report.height, report.records), (6, 13));
}

/// What the archive holds, and only that, leaves the log.
#[tokio::test]
async fn the_log_is_trimmed_only_below_the_committed_head() {
    let world = World::new();
    for _ in 0..30 {
        world.call("read_file").await;
    }
    let before = seams::Disk::list(&world.disk, "/data/wal".as_ref()).expect("it lists").len();
    *world.cluster.fate.lock().expect("unpoisoned") = Fate::Lost;
    assert!(world.archiver().step().await.is_err());
    world.wal.flush().await.expect("synced");
    let held = seams::Disk::list(&world.disk, "/data/wal".as_ref()).expect("it lists").len();
    *world.cluster.fate.lock().expect("unpoisoned") = Fate::Answered;
    world.archive().await;
    world.wal.flush().await.expect("synced");
    let after = seams::Disk::list(&world.disk, "/data/wal".as_ref()).expect("it lists").len();
    assert!(before > 3);
    assert_eq!((held, after), (before, 1));
}

/// A log that cannot be read does not keep the changes of the authority out of the archive.
#[tokio::test]
async fn trouble_with_the_log_does_not_delay_the_events() {
    let world = World::new();
    world.archive().await;
    let segments = seams::Disk::list(&world.disk, "/data/wal".as_ref()).expect("it lists");
    let path = std::path::Path::new("/data/wal").join(segments.last().expect("a segment"));
    let offset = seams::Disk::len(&world.disk, &path).expect("a segment");
    world.call("read_file").await;
    world.disk.flip_bit(&path, offset + 30, 1).expect("inside the file");
    world.cluster.revoke(crate::world::GRANT);
    let failed = world.archiver().step().await;
    assert!(matches!(failed, Err(StepFailed::Log(_))), "{failed:?}");
    let report = world.verify().await.expect("the archive is whole");
    assert_eq!((report.height, report.events, report.records), (2, 12, 1));
}

#[derive(Clone, Debug)]
enum Life {
    Calls(usize),
    Step(Fate),
    Restart { power_cut: bool },
}

fn lives() -> impl Strategy<Value = Vec<Life>> {
    let fate = prop_oneof![3 => Just(Fate::Answered), 1 => Just(Fate::Lost), 1 => Just(Fate::Unanswered)];
    vec(
        prop_oneof![
            3 => (1_usize..4).prop_map(Life::Calls),
            3 => fate.prop_map(Life::Step),
            1 => any::<bool>().prop_map(|power_cut| Life::Restart { power_cut }),
        ],
        1..25,
    )
}

proptest! {
    #![proptest_config(Config { cases: 24, failure_persistence: None, ..Config::default() })]

    /// A2, B12: once, in order, gap-free per epoch, through lost answers, crashes and power cuts.
    #[test]
    fn b12_every_recorded_intent_reaches_the_archive_once(lives in lives()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(live(lives));
    }
}

async fn live(lives: Vec<Life>) {
    let mut world = World::new();
    let mut recorded = BTreeSet::new();
    let mut archiver = world.archiver();
    for life in lives {
        match life {
            Life::Calls(count) => {
                for _ in 0..count {
                    let intent = world.call("read_file").await;
                    recorded.insert((world.wal.epoch(), intent));
                }
            }
            Life::Step(fate) => {
                *world.cluster.fate.lock().expect("unpoisoned") = fate;
                let stepped = archiver.step().await;
                assert!(fate != Fate::Answered || stepped.is_ok(), "{stepped:?}");
                world.wal.flush().await.expect("synced");
            }
            Life::Restart { power_cut } => {
                world.restart(power_cut);
                archiver = world.archiver();
            }
        }
    }
    *world.cluster.fate.lock().expect("unpoisoned") = Fate::Answered;
    world.archive().await;
    world.verify_up_to(&world.head()).await.expect("the archive is whole");
    let archived = archived_intents(&world).await;
    assert_eq!(archived.len(), archived.iter().collect::<BTreeSet<_>>().len(), "each intent once");
    assert_eq!(archived.into_iter().collect::<BTreeSet<_>>(), recorded);
    assert!(world.files(SEGMENTS).len() as u64 >= world.head().height);
}

async fn archived_intents(world: &World) -> Vec<(Epoch, Seq)> {
    let page = world.reader().read(&Query::default(), |entry| entry.archived).await.expect("it reads");
    assert!(page.is_last);
    let intent = |content: &Content| match content {
        Content::Record(record) if matches!(record.body, Body::Intent(_)) => Some((record.epoch, record.seq)),
        Content::Record(_) | Content::Event(_) => None,
    };
    page.entries.iter().filter_map(|(entry, _)| intent(&entry.content)).collect()
}

//! Epochs: every start begins one, names the last record recovered, and answers for what it left open.

use authority::{
    node::{Epoch, Id},
    record::{Body, EpochStarted, Seq},
};
use wal::{Durability, OpenFailed, Wal};

use crate::world::{World, outcome, read_all};

#[tokio::test]
async fn the_first_record_of_an_epoch_names_what_recovery_found() {
    let mut world = World::new(Durability::Synced);
    let (wal, first) = world.start();
    assert_eq!((first.previous, first.cut_bytes, first.outcome_unknown.len()), (None, 0, 0));
    let recorded = world.intents(&wal, 3).await;
    wal.outcome(outcome(recorded[1]));
    wal.flush().await.expect("synced");
    world.disk.kill();
    drop(wal);
    world.epoch = 8;
    let (wal, second) = world.start();
    let unknown = vec![recorded[0], recorded[2]];
    assert_eq!((&second.outcome_unknown, second.started.epoch), (&unknown, Epoch(9)));
    let last = read_all(&wal).pop().expect("there are records");
    let names = EpochStarted {
        previous_epoch: Some(Epoch(1)),
        previous_seq: Seq(5),
        cut_bytes: 0,
        outcome_unknown: unknown,
    };
    assert_eq!(last.record.body, Body::EpochStarted(names));
    assert_eq!(last.record.previous, second.previous.expect("there are records").hash);
}

/// An intent whose segment is archived and trimmed long ago is still answered for after a crash.
#[tokio::test]
async fn an_open_intent_outlives_the_trimming_of_its_segment() {
    let mut world = World::new(Durability::Synced);
    let (wal, _) = world.start();
    let stream = world.intent(&wal).await.expect("recorded").intent();
    for _ in 0..30 {
        let intent = world.intent(&wal).await.expect("recorded").intent();
        wal.outcome(outcome(intent));
    }
    wal.flush().await.expect("synced");
    let last = wal.durable().borrow().to_owned();
    wal.trim(&[last]);
    wal.flush().await.expect("synced");
    assert_eq!(crate::reading::segments(&world), 1);
    world.disk.power_cut();
    drop(wal);
    let (_wal, recovery) = world.start();
    assert_eq!(recovery.outcome_unknown, [stream]);
}

/// B14: a copy of the data directory cannot go on with an epoch that was used.
#[tokio::test]
async fn b14_an_epoch_that_is_not_newer_is_refused() {
    let mut world = World::new(Durability::Synced);
    world.epoch = 4;
    let (wal, _) = world.start();
    wal.close().await;
    for used in [3, 5] {
        world.epoch = used - 1;
        let refused = world.try_start().map(drop);
        assert!(
            matches!(refused, Err(OpenFailed::EpochNotNewer { found: Epoch(5), .. })),
            "epoch {used}: {refused:?}"
        );
    }
    world.epoch = 5;
    world.start();
}

/// B14: nor can another node.
#[tokio::test]
async fn b14_the_log_of_another_node_is_refused() {
    let mut world = World::new(Durability::Synced);
    let (wal, _) = world.start();
    wal.close().await;
    let disk = std::sync::Arc::new(world.disk.clone());
    let refused = Wal::open(world.config.clone(), disk, world.clock.clone(), Id(2), Epoch(9));
    assert!(matches!(refused.map(drop), Err(OpenFailed::OtherNode { found: Id(1), .. })));
}

#[tokio::test]
async fn settings_that_contradict_each_other_are_refused() {
    let mut world = World::new(Durability::Synced);
    world.config.reserve_bytes = world.config.max_bytes;
    assert!(matches!(world.try_start(), Err(OpenFailed::Config { .. })));
}

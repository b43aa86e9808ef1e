//! B03: a full log or disk refuses calls before anything of them is sent, and keeps its reserve for denials and
//! outcomes; when there is room again, it goes on.

use authority::record::{Body, Seq};
use wal::{Durability, NotRecorded, Wal};

use crate::world::{World, denied, outcome, read_all};

/// Records intents until they are refused, and tells which were not.
async fn fill(world: &World, wal: &Wal) -> Vec<Seq> {
    let mut recorded = Vec::new();
    loop {
        match world.intent(wal).await {
            Ok(permit) => recorded.push(permit.intent()),
            Err(NotRecorded::Full) => return recorded,
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn b03_calls_are_refused_at_the_bound_and_denials_and_outcomes_use_the_reserve() {
    let mut world = World::new(Durability::Synced);
    (world.config.max_bytes, world.config.reserve_bytes) = (40_000, 20_000);
    let (wal, _) = world.start();
    let recorded = fill(&world, &wal).await;
    assert!(recorded.len() > 20 && !wal.is_writable());
    for intent in &recorded {
        wal.outcome(outcome(*intent));
    }
    wal.denied(denied()).await.expect("the reserve takes it");
    assert!(matches!(world.intent(&wal).await, Err(NotRecorded::Full)));
    wal.flush().await.expect("every outcome is written");
    world.disk.power_cut();
    drop(wal);
    let (_wal, recovery) = world.start();
    assert_eq!(recovery.outcome_unknown, []);
}

#[tokio::test]
async fn b03_trimming_makes_room_again() {
    let mut world = World::new(Durability::Synced);
    (world.config.max_bytes, world.config.reserve_bytes) = (40_000, 10_000);
    let (wal, _) = world.start();
    fill(&world, &wal).await;
    let durable = *wal.durable().borrow();
    wal.trim(&[durable]);
    wal.flush().await.expect("synced");
    world.intent(&wal).await.expect("there is room");
    assert!(wal.is_writable());
}

/// B03: the disk itself is full, although the log's own bound is far.
#[tokio::test]
async fn b03_a_full_disk_refuses_calls_and_recovers_with_it() {
    let mut world = World::new(Durability::Synced);
    world.config.reserve_bytes = 5_000;
    let (wal, _) = world.start();
    world.disk.set_free_bytes(20_000);
    let recorded = fill(&world, &wal).await;
    assert!(!recorded.is_empty());
    wal.denied(denied()).await.expect("the reserve takes it");
    world.disk.unlimit_free_bytes();
    world.intent(&wal).await.expect("there is room");
}

/// The reserve is used up too: denials are refused, outcomes wait, nothing breaks.
#[tokio::test]
async fn b03_outcomes_wait_for_room_when_even_the_reserve_is_used_up() {
    let mut world = World::new(Durability::Synced);
    let (wal, _) = world.start();
    let intent = world.intent(&wal).await.expect("recorded").intent();
    world.disk.set_free_bytes(0);
    wal.outcome(outcome(intent));
    assert!(matches!(wal.flush().await, Err(NotRecorded::Full)));
    assert!(matches!(wal.denied(denied()).await, Err(NotRecorded::Full)));
    world.disk.unlimit_free_bytes();
    wal.flush().await.expect("there is room");
    let last = read_all(&wal).pop().expect("there are records");
    assert_eq!(last.record.body, Body::Outcome(Box::new(outcome(intent))));
}

/// Another program takes the space between the look at it and the write: the disk takes a part of the group, which must
/// not stay.
#[tokio::test]
async fn b03_a_group_the_disk_took_a_part_of_is_cut_off() {
    let mut world = World::new(Durability::Synced);
    world.epoch = 1;
    let disk = crate::dying_disk::Boastful(world.disk.clone());
    let (wal, _) = world.open_on(std::sync::Arc::new(disk)).expect("the log opens");
    let kept = world.intent(&wal).await.expect("recorded").intent();
    world.disk.set_free_bytes(100);
    assert!(matches!(world.intent(&wal).await, Err(NotRecorded::Full)));
    world.disk.unlimit_free_bytes();
    let next = world.intent(&wal).await.expect("recorded").intent();
    assert_eq!(next.0, kept.0 + 1);
    world.disk.power_cut();
    drop(wal);
    let (_wal, recovery) = world.start();
    assert_eq!((recovery.cut_bytes, recovery.outcome_unknown), (0, vec![kept, next]));
}

//! A1: a permit is recorded only when its intent survives what the durability promises; and how few syncs that takes.

use std::pin::pin;

use authority::record::{Body, Ending};
use wal::{Durability, NotRecorded};

use crate::world::{World, denied, outcome, poll_once, read_all, seqs_of};

/// B02: what was answered in `synced` survives the loss of power.
#[tokio::test]
async fn b02_a_synced_intent_survives_a_power_cut() {
    let mut world = World::new(Durability::Synced);
    let (wal, _) = world.start();
    let recorded = world.intents(&wal, 20).await;
    world.disk.power_cut();
    drop(wal);
    let (wal, recovery) = world.start();
    assert_eq!(recovery.outcome_unknown, recorded);
    assert!(seqs_of(&read_all(&wal), 1).is_superset(&recorded.into_iter().collect()));
}

/// B01: what was answered in `written` survives `kill -9`.
#[tokio::test]
async fn b01_a_written_intent_survives_a_kill() {
    let mut world = World::new(Durability::Written);
    let (wal, _) = world.start();
    let recorded = world.intents(&wal, 20).await;
    world.disk.kill();
    drop(wal);
    let (_wal, recovery) = world.start();
    assert_eq!(recovery.outcome_unknown, recorded);
}

#[tokio::test]
async fn a_synced_intent_is_not_answered_before_its_sync() {
    let mut world = World::new(Durability::Synced);
    let (wal, _) = world.start();
    let pause = world.disk.pause_syncs();
    let mut waiting = pin!(world.intent(&wal));
    assert!(poll_once(waiting.as_mut()).await.is_pending());
    pause.wait_until_held();
    assert!(poll_once(waiting.as_mut()).await.is_pending());
    drop(pause);
    waiting.await.expect("recorded");
}

#[tokio::test]
async fn a_written_intent_is_answered_without_a_sync_and_read_out_after_one() {
    let mut world = World::new(Durability::Written);
    let (wal, _) = world.start();
    let before = world.disk.completed_syncs();
    world.intent(&wal).await.expect("recorded");
    assert_eq!(world.disk.completed_syncs(), before);
    assert_eq!(read_all(&wal).len(), 1, "only synced records are read out");
    wal.flush().await.expect("synced");
    assert_eq!(read_all(&wal).len(), 2);
}

#[tokio::test]
async fn the_background_sync_makes_written_records_readable() {
    let mut world = World::new(Durability::Written);
    world.config.sync_interval = std::time::Duration::from_millis(1);
    let (wal, _) = world.start();
    let mut durable = wal.durable();
    let recorded = world.intent(&wal).await.expect("recorded");
    durable.wait_for(|position| position.seq == recorded.intent().0).await.expect("the log lives");
    assert_eq!(read_all(&wal).len(), 2);
}

/// While one group is synced the next gathers, so many callers share few syncs.
#[tokio::test]
async fn callers_that_wait_share_a_sync() {
    let mut world = World::new(Durability::Synced);
    world.config.segment_bytes = 1 << 20;
    let (wal, _) = world.start();
    let before = world.disk.completed_syncs();
    let pause = world.disk.pause_syncs();
    let mut first = pin!(world.intent(&wal));
    assert!(poll_once(first.as_mut()).await.is_pending());
    pause.wait_until_held();
    let mut more: Vec<_> = (0..100).map(|_| Box::pin(world.intent(&wal))).collect();
    for waiting in &mut more {
        assert!(poll_once(waiting.as_mut()).await.is_pending());
    }
    drop(pause);
    first.await.expect("recorded");
    for waiting in more {
        waiting.await.expect("recorded");
    }
    assert_eq!(world.disk.completed_syncs() - before, 2);
}

#[tokio::test]
async fn an_outcome_waits_for_company_and_is_synced_soon_when_there_is_none() {
    let mut world = World::new(Durability::Synced);
    world.config.sync_interval = std::time::Duration::from_millis(1);
    let (wal, _) = world.start();
    let recorded = world.intent(&wal).await.expect("recorded");
    let mut durable = wal.durable();
    wal.outcome(outcome(recorded.intent()));
    durable.wait_for(|position| position.seq == 3).await.expect("the log lives");
    let last = read_all(&wal).pop().expect("there are records");
    assert_eq!(last.record.body, Body::Outcome(Box::new(outcome(recorded.intent()))));
}

/// A caller that goes away while its intent is written has sent nothing, and the log says so.
#[tokio::test]
async fn an_intent_whose_caller_has_gone_gets_its_outcome() {
    let mut world = World::new(Durability::Synced);
    let (wal, _) = world.start();
    let pause = world.disk.pause_syncs();
    {
        let mut waiting = pin!(world.intent(&wal));
        assert!(poll_once(waiting.as_mut()).await.is_pending());
        pause.wait_until_held();
    }
    drop(pause);
    // The first flush sees the intent answered, the second what came of the answer.
    wal.flush().await.expect("synced");
    wal.flush().await.expect("synced");
    let last = read_all(&wal).pop().expect("there are records");
    let Body::Outcome(outcome) = last.record.body else { panic!("not an outcome: {last:?}") };
    assert_eq!((outcome.ending, outcome.request_bytes), (Ending::ClientGone, 0));
}

#[tokio::test]
async fn an_outcome_is_recorded_once_and_only_for_an_open_intent() {
    let mut world = World::new(Durability::Synced);
    let (wal, _) = world.start();
    let intent = world.intent(&wal).await.expect("recorded").intent();
    wal.outcome(outcome(intent));
    wal.outcome(outcome(intent));
    wal.outcome(outcome(authority::record::Seq(77)));
    wal.flush().await.expect("synced");
    assert_eq!(read_all(&wal).len(), 3);
}

/// B05: after a failed sync nothing is recorded any more, whatever later syncs would answer, until a new start.
#[tokio::test]
async fn b05_a_failed_sync_ends_the_log() {
    let mut world = World::new(Durability::Synced);
    let (wal, _) = world.start();
    let before = world.intent(&wal).await.expect("recorded").intent();
    world.disk.fail_sync(1);
    assert!(matches!(world.intent(&wal).await, Err(NotRecorded::Failed(_))));
    assert!(matches!(world.intent(&wal).await, Err(NotRecorded::Failed(_))));
    assert!(matches!(wal.denied(denied()).await, Err(NotRecorded::Failed(_))));
    assert!(matches!(wal.flush().await, Err(NotRecorded::Failed(_))));
    assert!(!wal.is_writable());
    world.disk.power_cut();
    drop(wal);
    let (wal, recovery) = world.start();
    assert_eq!(recovery.outcome_unknown, [before]);
    assert!(wal.is_writable());
    world.intent(&wal).await.expect("recorded in a new segment");
}

/// B05 in `written`: the background sync fails, and the next intent is refused.
#[tokio::test]
async fn b05_a_failed_background_sync_ends_the_log() {
    let mut world = World::new(Durability::Written);
    world.config.sync_interval = std::time::Duration::from_millis(1);
    let (wal, _) = world.start();
    world.disk.fail_sync(1);
    world.intent(&wal).await.expect("written");
    while wal.is_writable() {
        tokio::task::yield_now().await;
    }
    assert!(matches!(world.intent(&wal).await, Err(NotRecorded::Failed(_))));
}

#[tokio::test]
async fn a_closed_log_has_written_what_it_was_given_and_takes_no_more() {
    let mut world = World::new(Durability::Written);
    let (wal, _) = world.start();
    let intent = world.intent(&wal).await.expect("written").intent();
    wal.outcome(outcome(intent));
    wal.refused("unknown_token", "203.0.113.9");
    wal.close().await;
    assert!(matches!(world.intent(&wal).await, Err(NotRecorded::Closed)));
    world.disk.power_cut();
    let (wal, recovery) = world.start();
    assert_eq!(recovery.outcome_unknown, []);
    assert_eq!(read_all(&wal).len(), 5);
}

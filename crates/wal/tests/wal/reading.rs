//! Reading out and trimming: what an archiver builds on (A2).

use authority::archive::Position;
use seams::Disk;
use wal::{Durability, ReadFailed};

use crate::world::{DIR, World, outcome, read_all};

pub fn segments(world: &World) -> usize {
    world.disk.list(DIR.as_ref()).expect("the directory exists").len()
}

#[tokio::test]
async fn records_are_read_after_any_position_over_segments_and_epochs() {
    let mut world = World::new(Durability::Synced);
    for _ in 0..3 {
        let (wal, _) = world.start();
        for _ in 0..15 {
            let intent = world.intent(&wal).await.expect("recorded").intent();
            wal.outcome(outcome(intent));
        }
        wal.close().await;
    }
    assert!(segments(&world) > 6);
    let (wal, _) = world.start();
    let all = read_all(&wal);
    assert_eq!(all.len(), 3 * 31 + 1);
    for (at, stored) in all.iter().enumerate() {
        let record = &stored.record;
        let position =
            Position { edge: record.edge, epoch: record.epoch, seq: record.seq.0, hash: stored.hash };
        let next = wal.read_after(&[position], 2).expect("the log reads");
        assert_eq!(next, all[at + 1..].iter().take(2).cloned().collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn whole_segments_below_a_position_are_trimmed_and_reading_goes_on_after_it() {
    let mut world = World::new(Durability::Synced);
    let (wal, _) = world.start();
    for _ in 0..40 {
        world.intent(&wal).await.expect("recorded");
    }
    let before = (segments(&world), read_all(&wal));
    let at = &before.1[20];
    let position =
        Position { edge: at.record.edge, epoch: at.record.epoch, seq: at.record.seq.0, hash: at.hash };
    wal.trim(&[position]);
    wal.flush().await.expect("synced");
    assert!(segments(&world) < before.0 && segments(&world) > 1);
    assert_eq!(wal.read_after(&[position], 100).expect("the log reads"), before.1[21..]);
    assert!(matches!(wal.read_after(&[], 100), Err(ReadFailed::Trimmed)));
    // The newest segment stays whatever is archived, so that the log knows its last record after a restart.
    let last = *wal.durable().borrow();
    wal.trim(&[last]);
    wal.flush().await.expect("synced");
    assert_eq!(segments(&world), 1);
    wal.close().await;
    let (wal, recovery) = world.start();
    assert_eq!(recovery.previous, Some(last));
    assert_eq!(wal.read_after(&[last], 100).expect("the log reads").len(), 1);
}

/// An archive that holds more than the log, or something else, is told so.
#[tokio::test]
async fn a_position_the_log_does_not_have_is_refused() {
    let mut world = World::new(Durability::Synced);
    let (wal, _) = world.start();
    world.intents(&wal, 2).await;
    let last = *wal.durable().borrow();
    let ahead = Position { seq: last.seq + 1, ..last };
    assert!(matches!(wal.read_after(&[ahead], 1), Err(ReadFailed::Behind { .. })));
    let other = Position { hash: [9; 32], ..last };
    world.intents(&wal, 1).await;
    assert!(matches!(wal.read_after(&[other], 1), Err(ReadFailed::Diverged { .. })));
}

/// B07: a bit that flips after recovery is found by the reader, and not handed on.
#[tokio::test]
async fn b07_a_flipped_bit_is_not_read_out() {
    let mut world = World::new(Durability::Synced);
    let (wal, _) = world.start();
    let offset = world.disk.len(&world.newest()).expect("a segment");
    world.intents(&wal, 1).await;
    world.disk.flip_bit(&world.newest(), offset + 50, 0).expect("inside the file");
    let failed = wal.read_after(&[], 10).expect_err("damaged");
    assert!(matches!(&failed, ReadFailed::Damaged { offset: at, .. } if *at == offset), "{failed:?}");
}

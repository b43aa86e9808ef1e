//! B06, B07: a torn tail is cut and reported; anything else that is wrong is refused, and refused by name.

use std::path::Path;

use seams::{Disk, disk::Tail};
use wal::{Durability, OpenFailed, chain::Chain};

use crate::world::{DIR, EDGE, World, outcome, poll_once, read_all};

/// B06: the power fails in the middle of a write, and leaves any part of it, or zeros.
#[tokio::test]
async fn b06_only_the_unacknowledged_tail_is_cut_and_the_cut_is_recorded() {
    for (what, tail) in (0..40)
        .map(|part| ("torn", Tail::Torn { kept: part * 11 }))
        .chain((1..40).map(|part| ("zeroed", Tail::Zeroed { len: part * 11 })))
    {
        let mut world = World::new(Durability::Synced);
        world.config.segment_bytes = 1 << 20;
        let (wal, _) = world.start();
        let recorded = world.intents(&wal, 3).await;
        let synced = world.disk.len(&world.newest()).expect("a segment");
        let pause = world.disk.pause_syncs();
        let mut waiting = Box::pin(world.intent(&wal));
        assert!(poll_once(waiting.as_mut()).await.is_pending());
        pause.wait_until_held();
        world.disk.power_cut_with_tail(&world.newest(), tail);
        let left = world.disk.len(&world.newest()).expect("a segment") - synced;
        drop(pause);
        drop(waiting);
        drop(wal);
        let (wal, recovery) = world.start();
        let whole = recovery.previous.expect("there are records").seq == 5;
        assert_eq!(recovery.cut_bytes, if whole { 0 } else { left }, "{what} {tail:?}");
        let unknown = recovery.outcome_unknown;
        assert_eq!(unknown[..3], recorded, "{what} {tail:?}");
        assert!(read_all(&wal).len() >= 5);
    }
}

/// B07: whichever single bit of the log flips, the start is refused, the damage is named, and nothing is changed.
#[tokio::test]
async fn b07_every_flipped_bit_is_refused_and_named() {
    let mut world = World::new(Durability::Synced);
    world.config.segment_bytes = 600;
    for _ in 0..2 {
        let (wal, _) = world.start();
        for number in 0..3 {
            let intent = world.intent(&wal).await.expect("recorded").intent();
            if number != 1 {
                wal.outcome(outcome(intent));
            }
        }
        wal.close().await;
    }
    let names = world.disk.list(DIR.as_ref()).expect("the directory exists");
    assert!(names.len() > 3, "the log has segments inside an epoch and over two");
    for name in &names {
        let path = Path::new(DIR).join(name);
        let before = world.disk.read(&path).expect("a segment");
        for bit in 0..before.len() as u64 * 8 {
            let disk = world.disk.clone();
            let flip = || disk.flip_bit(&path, bit / 8, u8::try_from(bit % 8).expect("below 8"));
            flip().expect("inside the file");
            match world.try_start() {
                Err(OpenFailed::Damaged { path: named, .. }) => assert_eq!(named, path, "bit {bit}"),
                other => panic!("{name} bit {bit}: {:?}", other.map(|(_, recovery)| recovery)),
            }
            flip().expect("inside the file");
        }
        assert_eq!(world.disk.read(&path).expect("a segment"), before);
    }
    world.start();
}

/// B07: damage names the segment, the place and the last good record.
#[tokio::test]
async fn b07_damage_in_the_middle_names_the_record_before_it() {
    let mut world = World::new(Durability::Synced);
    world.config.segment_bytes = 1 << 20;
    let (wal, _) = world.start();
    world.intents(&wal, 2).await;
    let offset = world.disk.len(&world.newest()).expect("a segment");
    world.intents(&wal, 3).await;
    wal.close().await;
    world.disk.flip_bit(&world.newest(), offset + 20, 3).expect("inside the file");
    let failed = world.try_start().expect_err("damaged");
    let OpenFailed::Damaged { offset: at, after_seq, .. } = &failed else { panic!("{failed:?}") };
    assert_eq!((*at, *after_seq), (offset, 3));
    assert!(failed.to_string().contains(&world.newest().display().to_string()));
}

#[tokio::test]
async fn a_missing_or_cut_segment_is_refused() {
    for (damage, index) in [("removed", 2), ("cut", 1), ("emptied", 1)] {
        let mut world = World::new(Durability::Synced);
        world.config.segment_bytes = 600;
        let (wal, _) = world.start();
        for _ in 0..20 {
            world.intent(&wal).await.expect("recorded");
        }
        wal.close().await;
        let names = world.disk.list(DIR.as_ref()).expect("the directory exists");
        assert!(names.len() > 4);
        let path = Path::new(DIR).join(&names[index]);
        let length = world.disk.len(&path).expect("a segment");
        match damage {
            "removed" => world.disk.remove(&path).expect("removed"),
            "cut" => world.disk.truncate(&path, length - 30).expect("cut"),
            _ => world.disk.truncate(&path, 0).expect("emptied"),
        }
        assert!(matches!(world.try_start(), Err(OpenFailed::Damaged { .. })), "{damage}");
    }
}

/// The recovered log is still one chain: the new epoch names the last record that was kept.
#[tokio::test]
async fn an_epoch_after_a_cut_continues_the_kept_records() {
    let mut world = World::new(Durability::Written);
    let (wal, _) = world.start();
    world.intents(&wal, 2).await;
    wal.flush().await.expect("synced");
    world.intents(&wal, 2).await;
    world.disk.power_cut_with_tail(&world.newest(), Tail::Torn { kept: 200 });
    drop(wal);
    let (wal, recovery) = world.start();
    assert!(recovery.cut_bytes > 0);
    let mut chain = Chain::new(EDGE);
    for stored in read_all(&wal) {
        chain.follow(&stored.record, stored.hash).expect("one chain");
    }
    assert_eq!(chain.last(), Some(recovery.started));
}

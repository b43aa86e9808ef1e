//! B04: requests of strangers are counted exactly and cost the log nothing.

use authority::record::Body;
use wal::Durability;

use crate::world::{World, read_all};

/// B04: a flood of them neither waits nor syncs, and no count is lost.
#[tokio::test]
async fn b04_a_flood_of_refusals_syncs_nothing_and_is_counted_exactly() {
    let mut world = World::new(Durability::Synced);
    let (wal, _) = world.start();
    let before = world.disk.completed_syncs();
    for number in 0..50_000_u64 {
        wal.refused(if number % 2 == 0 { "unknown_token" } else { "bad_checksum" }, "203.0.113.9");
    }
    assert_eq!(world.disk.completed_syncs(), before);
    wal.flush().await.expect("synced");
    let (mut total, mut samples) = (0, 0);
    for stored in read_all(&wal) {
        if let Body::Refusals(refusals) = stored.record.body {
            total += refusals.counts.iter().map(|(_, count)| count).sum::<u64>();
            samples += refusals.samples.len();
        }
    }
    assert_eq!((total, samples), (50_000, 10));
}

/// B04: they do not use the reserve, and what finds no room is counted on.
#[tokio::test]
async fn b04_refusals_wait_for_room_outside_the_reserve() {
    let mut world = World::new(Durability::Synced);
    world.config.reserve_bytes = 5_000;
    let (wal, _) = world.start();
    world.disk.set_free_bytes(4_000);
    wal.refused("unknown_token", "203.0.113.9");
    wal.flush().await.expect("there is nothing that must be written");
    assert_eq!(read_all(&wal).len(), 1);
    world.disk.unlimit_free_bytes();
    wal.refused("unknown_token", "203.0.113.9");
    wal.flush().await.expect("synced");
    let last = read_all(&wal).pop().expect("there are records");
    let Body::Refusals(refusals) = last.record.body else { panic!("not refusals: {last:?}") };
    assert_eq!(refusals.counts, [("unknown_token".into(), 2)]);
}

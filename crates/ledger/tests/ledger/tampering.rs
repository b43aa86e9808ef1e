//! A3: the archive is tamper-evident. Whatever is done to its files without the signing key, verification says broken
//! and names where.

use std::fs;

use authority::record::{Body, Seq};
use ledger::verify::Broken;
use wal::chain::Break;

use crate::{
    forger::Forger,
    world::{World, key},
};

/// Three heights, two epochs, changes and calls.
async fn archive() -> World {
    let mut world = World::new();
    world.call("read_file").await;
    world.archive().await;
    world.call("write_file").await;
    world.archive().await;
    world.restart(true);
    world.intent("delete_file").await;
    world.archive().await;
    world.verify().await.expect("it is whole before it is tampered with");
    world
}

/// B07, B16: a changed byte, anywhere.
#[tokio::test]
async fn b16_any_changed_byte_is_found() {
    let world = archive().await;
    for path in [world.files("segments"), world.files("checkpoints")].concat() {
        let bytes = fs::read(&path).expect("it reads");
        // Every byte of a checkpoint; of a segment, a sample that is another one in each.
        let step = if bytes.len() < 500 { 1 } else { 7 };
        for at in (0..bytes.len()).step_by(step) {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            fs::write(&path, &changed).expect("it writes");
            let verified = world.verify().await;
            assert!(verified.is_err(), "{} byte {at}", path.display());
        }
        fs::write(&path, &bytes).expect("it writes");
    }
    world.verify().await.expect("it is whole again");
}

/// B15: a file that was cut, by any length.
#[tokio::test]
async fn b15_a_truncated_file_is_found_and_named() {
    let world = archive().await;
    let path = world.files("segments").pop().expect("a segment");
    let bytes = fs::read(&path).expect("it reads");
    for kept in (0..bytes.len()).step_by(11) {
        fs::write(&path, &bytes[..kept]).expect("it writes");
        let Err(Broken::Damaged { segment, leaf, .. }) = world.verify().await else { panic!("{kept} bytes") };
        assert!(path.ends_with(segment.trim_start_matches("segments/")));
        assert!(leaf >= world.head().size - 6);
    }
}

/// B16: one record is rewritten, and nothing else: its own successor gives it away.
#[tokio::test]
async fn b16_a_rewritten_record_breaks_its_chain_and_is_named() {
    let world = archive().await;
    let mut forger = Forger::new(&world);
    forger.change_records(|record| {
        if record.seq == Seq(2)
            && let Body::Intent(intent) = &mut record.body
        {
            intent.call.target = Some("harmless".into());
        }
    });
    forger.write();
    let broken = world.verify().await.expect_err("tampered with");
    let Broken::Record { seq, source, segment, .. } = &broken else { panic!("{broken:?}") };
    assert_eq!((*seq, *source), (3, Break::Hash));
    assert!(segment.starts_with("segments/00000000000000000001-"), "{broken}");
}

/// B16: one record is rewritten, and the chain, the tree and the headers are made to fit.
#[tokio::test]
async fn b16_a_forgery_that_fits_in_itself_is_not_what_was_signed() {
    let world = archive().await;
    let mut forger = Forger::new(&world);
    forger.change_records(|record| {
        if let Body::Outcome(outcome) = &mut record.body {
            outcome.response_bytes = 1;
        }
    });
    forger.mend_chain();
    let heads = forger.mend_headers();
    forger.write();
    let broken = world.verify().await.expect_err("tampered with");
    let Broken::Root { segment, .. } = &broken else { panic!("{broken:?}") };
    assert!(segment.starts_with("segments/00000000000000000001-"), "{broken}");
    // With checkpoints of the forger's own it would be a whole archive, but for the key.
    forger.sign(&heads);
    let broken = world.verify().await.expect_err("signed by somebody else");
    assert!(matches!(&broken, Broken::Checkpoint { name, .. } if name.ends_with("001.note")), "{broken:?}");
    let stranger = crate::world::signer(2).verifying_key();
    ledger::verify(&world.store, &stranger, None).await.expect("the forgery fits in itself");
}

#[tokio::test]
async fn a_missing_or_swapped_file_is_named() {
    let world = archive().await;
    let [first, second, _] = &world.files("segments")[..] else { panic!("three segments") };
    let (one, two) = (fs::read(first).expect("it reads"), fs::read(second).expect("it reads"));

    fs::remove_file(second).expect("it is removed");
    let broken = world.verify().await.expect_err("a segment is missing");
    assert!(matches!(broken, Broken::SegmentMissing { height: 2, .. }), "{broken:?}");

    fs::write(first, &two).expect("it writes");
    fs::write(second, &one).expect("it writes");
    let broken = world.verify().await.expect_err("two segments are swapped");
    assert!(matches!(&broken, Broken::Misplaced { name } if name.contains("001-")), "{broken:?}");
    fs::write(first, &one).expect("it writes");
    fs::write(second, &two).expect("it writes");

    let note = Forger::new(&world).checkpoint(2);
    let bytes = fs::read(&note).expect("it reads");
    fs::remove_file(&note).expect("it is removed");
    let broken = world.verify().await.expect_err("a checkpoint is missing");
    assert!(matches!(broken, Broken::CheckpointMissing { height: 2 }), "{broken:?}");

    fs::write(&note, fs::read(Forger::new(&world).checkpoint(1)).expect("it reads")).expect("it writes");
    let broken = world.verify().await.expect_err("a checkpoint stands in another's place");
    assert!(matches!(&broken, Broken::Misplaced { name } if name.ends_with("002.note")), "{broken:?}");
    fs::write(&note, bytes).expect("it writes");
    world.verify().await.expect("it is whole again");
}

/// B15: the newest files are taken away whole. What is left is a whole, older archive; what the cluster agreed on says
/// that it is not all.
#[tokio::test]
async fn b15_an_archive_without_its_newest_files_does_not_reach_the_head() {
    let world = archive().await;
    fs::remove_file(Forger::new(&world).checkpoint(3)).expect("it is removed");
    fs::remove_file(world.files("segments").pop().expect("a segment")).expect("it is removed");
    assert_eq!(world.verify().await.expect("an older archive").height, 2);
    let broken = world.verify_up_to(&world.head()).await.expect_err("the head is known");
    assert!(matches!(broken, Broken::Anchor { height: 3 }), "{broken:?}");
}

#[tokio::test]
async fn an_empty_archive_vouches_for_nothing() {
    let world = World::new();
    let verified = ledger::verify(&world.store, &key(), None).await;
    assert!(matches!(verified, Err(Broken::Empty)));
}

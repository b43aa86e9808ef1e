//! B01, B02: the node dies before each single operation of its disk, in two lives one after the other, and every
//! intent that was answered is there afterwards.

use std::{collections::BTreeSet, sync::Arc};

use authority::record::{Body, Seq};
use seams::Disk;
use wal::Durability;

use crate::{
    dying_disk::{Death, DyingDisk},
    world::{World, outcome, read_all},
};

/// More operations than the script needs.
const MAX_STEPS: u64 = 500;

/// B02: power cuts.
#[tokio::test]
async fn b02_no_answered_intent_is_lost_wherever_the_power_is_cut() {
    every_step(Durability::Synced, Death::PowerCut).await;
}

/// B01: kills, under both durabilities.
#[tokio::test]
async fn b01_no_answered_intent_is_lost_wherever_the_process_is_killed() {
    every_step(Durability::Written, Death::Kill).await;
    every_step(Durability::Synced, Death::Kill).await;
}

async fn every_step(durability: Durability, death: Death) {
    for step in 1..MAX_STEPS {
        let mut world = World::new(durability);
        // Some lives before it, so that recovery and trimming are among the steps.
        let mut answered = BTreeSet::new();
        for _ in 0..2 {
            live(&mut world, None, &mut answered).await;
        }
        let disk = DyingDisk::new(world.disk.clone(), death, step);
        live(&mut world, Some(&disk), &mut answered).await;
        let survived_all_steps = !disk.is_dead();
        check(&mut world, &answered, step);
        if survived_all_steps {
            assert!(step > 20, "the script must have steps");
            return;
        }
    }
    panic!("the script has more steps than {MAX_STEPS}");
}

/// One life of the node, which ends by a kill if its disk does not end it before.
async fn live(world: &mut World, dying: Option<&DyingDisk>, answered: &mut BTreeSet<(u64, Seq)>) {
    world.epoch += 1;
    let disk: Arc<dyn Disk> = match dying {
        Some(dying) => Arc::new(dying.clone()),
        None => Arc::new(world.disk.clone()),
    };
    let Ok((wal, _)) = world.open_on(disk) else { return };
    for number in 0..12 {
        let Ok(recorded) = world.intent(&wal).await else { break };
        answered.insert((world.epoch, recorded.intent()));
        if number % 3 == 0 {
            wal.outcome(outcome(recorded.intent()));
            wal.refused("unknown_token", "203.0.113.9");
        }
        if number == 7 && wal.flush().await.is_err() {
            break;
        }
    }
    if dying.is_none() {
        world.disk.kill();
    }
}

fn check(world: &mut World, answered: &BTreeSet<(u64, Seq)>, step: u64) {
    let (wal, recovery) = world.start();
    let all = read_all(&wal);
    let held: BTreeSet<_> = all.iter().map(|stored| (stored.record.epoch.0, stored.record.seq)).collect();
    let lost: Vec<_> = answered.difference(&held).collect();
    assert!(lost.is_empty(), "step {step}: {lost:?}");
    let last_epoch = recovery.previous.map_or(0, |previous| previous.epoch.0);
    let mut unknown = BTreeSet::new();
    for stored in all.iter().filter(|stored| stored.record.epoch.0 == last_epoch) {
        match &stored.record.body {
            Body::Intent(_) => {
                unknown.insert(stored.record.seq);
            }
            Body::Outcome(outcome) => {
                unknown.remove(&outcome.intent);
            }
            Body::EpochStarted(_) | Body::Denied(_) | Body::Refusals(_) => {}
        }
    }
    assert_eq!(recovery.outcome_unknown, unknown.into_iter().collect::<Vec<_>>(), "step {step}");
}

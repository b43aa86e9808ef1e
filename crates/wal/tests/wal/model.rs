//! Random lives of a node against a model: a list of what was answered, and how much of it was synced.

use std::collections::BTreeMap;

use authority::{
    archive::Position,
    record::{Body, Seq},
};
use proptest::{collection::vec, prelude::*, test_runner::Config};
use seams::disk::Tail;
use wal::{Durability, Stored, Wal};

use crate::world::{World, denied, outcome};

#[derive(Clone, Debug)]
enum Step {
    Intents(usize),
    Denied,
    Outcome(usize),
    Refused,
    Flush,
    Archive,
    Kill,
    PowerCut(Tail),
}

/// What must be true of the log.
#[derive(Default)]
struct Model {
    /// Answered records that the durability promises to keep, by epoch and sequence number.
    promised: Vec<(u64, Seq)>,
    /// What an archiver has taken.
    archived: Vec<Stored>,
    /// The hash of every record ever read out: none may change or go.
    read: BTreeMap<(u64, Seq), [u8; 32]>,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let tail = prop_oneof![
        Just(Tail::Lost),
        (0_usize..900).prop_map(|kept| Tail::Torn { kept }),
        (0_usize..900).prop_map(|len| Tail::Zeroed { len }),
    ];
    let step = prop_oneof![
        4 => (1_usize..6).prop_map(Step::Intents),
        1 => Just(Step::Denied),
        3 => any::<usize>().prop_map(Step::Outcome),
        1 => Just(Step::Refused),
        1 => Just(Step::Flush),
        1 => Just(Step::Archive),
        1 => Just(Step::Kill),
        1 => tail.prop_map(Step::PowerCut),
    ];
    vec(step, 1..40)
}

proptest! {
    #![proptest_config(Config { cases: 100, failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_synced_log_keeps_what_it_answered_through_any_life(steps in steps()) {
        runtime().block_on(live(Durability::Synced, steps));
    }

    #[test]
    fn a_written_log_keeps_what_it_answered_through_kills_and_what_it_synced_through_power_cuts(steps in steps()) {
        runtime().block_on(live(Durability::Written, steps));
    }
}

async fn live(durability: Durability, steps: Vec<Step>) {
    let mut world = World::new(durability);
    let mut model = Model::default();
    let (mut wal, _) = world.start();
    let mut open: Vec<Seq> = Vec::new();
    for step in steps {
        match step {
            Step::Intents(count) => {
                let recorded = world.intents(&wal, count).await;
                model.promised.extend(recorded.iter().map(|seq| (world.epoch, *seq)));
                open.extend(recorded);
            }
            Step::Denied => {
                let seq = wal.denied(denied()).await.expect("recorded");
                model.promised.push((world.epoch, seq));
            }
            Step::Outcome(which) if !open.is_empty() => {
                let intent = open.swap_remove(which % open.len());
                wal.outcome(outcome(intent));
            }
            Step::Outcome(_) => {}
            Step::Refused => wal.refused("unknown_token", "203.0.113.9"),
            Step::Flush => wal.flush().await.expect("synced"),
            Step::Archive => {
                model.archive(&wal);
                // Trimmed before anything dies: a simulated disk cannot stop the hands of a killed process.
                wal.flush().await.expect("synced");
            }
            Step::Kill => {
                world.disk.kill();
                wal = restart(&mut world, &mut model, true);
                open.clear();
            }
            Step::PowerCut(tail) => {
                world.disk.power_cut_with_tail(&world.newest(), tail);
                wal = restart(&mut world, &mut model, durability == Durability::Synced);
                open.clear();
            }
        }
    }
    world.disk.kill();
    restart(&mut world, &mut model, true);
}

/// Starts anew and compares with the model; `keeps` tells whether what was answered had to survive.
fn restart(world: &mut World, model: &mut Model, keeps: bool) -> Wal {
    let (wal, recovery) = world.start();
    let all = model.everything(&wal);
    let held: BTreeMap<_, _> =
        all.iter().map(|stored| ((stored.record.epoch.0, stored.record.seq), stored.hash)).collect();
    for (place, hash) in &model.read {
        assert_eq!(held.get(place), Some(hash), "{place:?} was read out");
    }
    if keeps {
        let lost: Vec<_> = model.promised.iter().filter(|place| !held.contains_key(place)).collect();
        assert!(lost.is_empty(), "{lost:?}");
    } else {
        model.promised.retain(|place| held.contains_key(place));
    }
    model.read = held;
    let before = recovery.previous.map_or(0, |previous| previous.epoch.0);
    let unknown = unknown(all.iter().filter(|stored| stored.record.epoch.0 == before));
    assert_eq!(recovery.outcome_unknown, unknown);
    wal
}

fn unknown<'a>(records: impl Iterator<Item = &'a Stored>) -> Vec<Seq> {
    let mut open = Vec::new();
    for stored in records {
        match &stored.record.body {
            Body::Intent(_) => open.push(stored.record.seq),
            Body::Outcome(outcome) => open.retain(|seq| *seq != outcome.intent),
            Body::EpochStarted(_) | Body::Denied(_) | Body::Refusals(_) => {}
        }
    }
    open
}

impl Model {
    fn position(&self) -> Vec<Position> {
        let last = self.archived.last();
        last.map(|last| {
            let record = &last.record;
            Position { edge: record.edge, epoch: record.epoch, seq: record.seq.0, hash: last.hash }
        })
        .into_iter()
        .collect()
    }

    fn archive(&mut self, wal: &Wal) {
        let page = wal.read_after(&self.position(), 1_000).expect("the log reads");
        self.archived.extend(page);
        wal.trim(&self.position());
    }

    fn everything(&self, wal: &Wal) -> Vec<Stored> {
        let mut all = self.archived.clone();
        all.extend(wal.read_after(&self.position(), 10_000).expect("the log reads"));
        all
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime")
}

//! Appending intents: how long one caller waits and how many a node records, alone and under concurrency, for both
//! durabilities, on the disk below the temporary directory.
//!
//! One iteration is a round: every caller records one intent and ends it. With one caller the time of a round is the
//! latency of an intent; with more, the elements per second are what counts.

use std::sync::Arc;

use authority::{
    node::{Epoch, Id},
    record::{Ending, Outcome},
    time::Boot,
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use seams::{SystemClock, SystemDisk};
use tokio::{runtime::Builder, task::JoinSet};
use wal::{Config, Durability, Wal};

#[path = "../tests/wal/world.rs"]
#[allow(dead_code)]
mod world;

fn append(criterion: &mut Criterion) {
    let runtime = Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    for durability in [Durability::Written, Durability::Synced] {
        let mut group = criterion.benchmark_group(format!("append/{durability:?}"));
        for callers in [1, 32, 128] {
            let dir = tempfile::tempdir().expect("a directory");
            let config = Config::new(dir.path().join("wal"), durability);
            let (disk, clock) = (Arc::new(SystemDisk), Arc::new(SystemClock));
            let (wal, _) = Wal::open(config, disk, clock, Id(1), Epoch(1)).expect("a log");
            let world = Arc::new(world::World::new(durability));
            group.throughput(Throughput::Elements(callers));
            group.bench_function(BenchmarkId::from_parameter(callers), |bencher| {
                bencher.iter(|| runtime.block_on(round(&wal, &world, callers)));
            });
            runtime.block_on(wal.close());
        }
        group.finish();
    }
}

async fn round(wal: &Wal, world: &Arc<world::World>, callers: u64) {
    let mut calls = JoinSet::new();
    for _ in 0..callers {
        let (wal, world) = (wal.clone(), Arc::clone(world));
        calls.spawn(async move {
            let recorded = world.intent(&wal).await.expect("recorded");
            wal.outcome(outcome(&recorded));
        });
    }
    while let Some(ended) = calls.join_next().await {
        ended.expect("no panic");
    }
}

fn outcome(recorded: &authority::RecordedPermit) -> Outcome {
    Outcome {
        intent: recorded.intent(),
        ending: Ending::Completed,
        upstream_status: Some(200),
        latency_micros: 900,
        request_bytes: 200,
        response_bytes: 1_000,
        redacted: false,
        late_effect: false,
        last_check_at: Boot(1),
    }
}

criterion_group!(benches, append);
criterion_main!(benches);

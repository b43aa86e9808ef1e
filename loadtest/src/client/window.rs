//! The measured window of a run of load: warm up, then count, then stop.
//!
//! What must stay true: answers and CPU are read at the same two moments, so that what happened before and after the
//! window is in neither.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use anyhow::{Result, anyhow};
use hdrhistogram::Histogram;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout_at},
};

use super::{Outcome, histogram};
use crate::{clock::now_nanos, measure};

/// After how many failures a target is given up: it refuses, and more of the same would say nothing new.
const MAX_FAILURES: u64 = 1_000;

/// How long the answers that are on the way when the window ends may take.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// The phase in which answers count. Before it, the phase is 0 and the target warms up.
const COUNTING: u8 = 1;

/// The phase in which nothing is sent any more.
const OVER: u8 = 2;

/// What all connections of a run share.
#[derive(Debug, Default)]
pub struct Window {
    phase: AtomicU8,
    answers: AtomicU64,
    failures: AtomicU64,
    first_failure: Mutex<Option<String>>,
}

impl Window {
    /// Whether connections should go on.
    pub fn is_open(&self) -> bool {
        self.phase.load(Relaxed) != OVER
    }

    /// Counts a right answer and keeps its latency, if it came inside the window.
    pub fn count(&self, latency: &mut Histogram<u64>, nanos: u64) {
        if self.phase.load(Relaxed) == COUNTING {
            self.answers.fetch_add(1, Relaxed);
            latency.saturating_record(nanos);
        }
    }

    /// Counts a failure, and ends the run if there are too many.
    pub fn fail(&self, error: &anyhow::Error) {
        let mut first = self.first_failure.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| format!("{error:#}"));
        if self.failures.fetch_add(1, Relaxed) >= MAX_FAILURES {
            self.phase.store(OVER, Relaxed);
        }
    }

    /// Runs the window over `connections`, each of which answers its latencies once the window is over.
    pub async fn run(
        self: Arc<Self>,
        mut connections: JoinSet<Histogram<u64>>,
        pid: u32,
        warm_up: Duration,
        length: Duration,
    ) -> Result<Outcome> {
        sleep(warm_up).await;
        let cpu_before = measure::cpu(pid)?;
        let began = now_nanos();
        let was_open = self.is_open();
        if was_open {
            self.phase.store(COUNTING, Relaxed);
            sleep(length).await;
        }
        let cpu = measure::cpu(pid)?.saturating_sub(cpu_before);
        self.phase.store(OVER, Relaxed);
        let elapsed = Duration::from_nanos(now_nanos() - began);
        let resident_kib = measure::resident_kib(pid)?;
        let mut latency = histogram();
        let deadline = Instant::now() + LAST_ANSWERS;
        while !connections.is_empty() {
            match timeout_at(deadline, connections.join_next()).await {
                Ok(Some(ended)) => latency.add(ended?)?,
                Ok(None) => break,
                Err(_) => {
                    self.fail(&anyhow!("{} answers never came", connections.len()));
                    connections.shutdown().await;
                }
            }
        }
        Ok(Outcome {
            answers: self.answers.load(Relaxed),
            failures: self.failures.load(Relaxed),
            first_failure: self.first_failure.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            elapsed,
            cpu,
            resident_kib,
            latency,
        })
    }
}

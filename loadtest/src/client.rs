//! The load generator: a plain client over plain sockets, in two paces.
//!
//! The closed loop shows what a target can do; its latencies are those of a target that is always full. The open loop
//! shows what a user would wait. Both answer an [`Outcome`].

pub mod closed;
pub mod connection;
pub mod open;
pub mod window;

use std::time::Duration;

use hdrhistogram::Histogram;

/// The longest latency a histogram tells apart, in nanoseconds: a minute.
const MAX_LATENCY_NANOS: u64 = 60_000_000_000;

/// What a window of load came to.
#[derive(Debug)]
pub struct Outcome {
    /// Right answers in the window.
    pub answers: u64,
    /// Wrong or missing answers.
    pub failures: u64,
    /// What the first failure was.
    pub first_failure: Option<String>,
    /// How long the window was.
    pub elapsed: Duration,
    /// CPU the target used in the window.
    pub cpu: Duration,
    /// The target's resident memory at the end of the window, in KiB.
    pub resident_kib: u64,
    /// Latencies in nanoseconds.
    pub latency: Histogram<u64>,
}

impl Outcome {
    /// CPU of the target for one right answer, in microseconds.
    pub fn cpu_micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.answers.max(1) as f64
    }

    /// Right answers a second.
    pub fn rate(&self) -> f64 {
        self.answers as f64 / self.elapsed.as_secs_f64()
    }

    /// The latency that `share` of the answers did not exceed, in microseconds.
    pub fn latency_micros(&self, share: f64) -> f64 {
        self.latency.value_at_quantile(share) as f64 / 1e3
    }
}

/// A histogram from a microsecond to a minute, with three figures.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1_000, MAX_LATENCY_NANOS, 3).expect("the bounds and the figures are valid")
}

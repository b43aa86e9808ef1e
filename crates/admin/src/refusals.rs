//! Counts refused requests of nobody in particular, so that the log gets one line in an interval and not one each:
//! whoever has no token must not be able to fill it.
//!
//! It writes nothing. A refusal is counted once, in the line after it; the last ones wait for the next refusal.

use std::time::Duration;

use parking_lot::Mutex;
use seams::SharedClock;

/// The least time between two lines: soon enough to see an attack, and 1,440 lines a day at the most.
const INTERVAL: Duration = Duration::from_secs(60);

/// Refusals since the last line.
pub(crate) struct Refusals {
    clock: SharedClock,
    counted: Mutex<Counted>,
}

#[derive(Default)]
struct Counted {
    unsaid: u64,
    said_at: Option<Duration>,
}

impl Refusals {
    pub(crate) fn new(clock: SharedClock) -> Self {
        Self { clock, counted: Mutex::default() }
    }

    /// Counts one more. If it is time for a line, answers how many it has to tell of.
    pub(crate) fn count(&self) -> Option<u64> {
        let now = Duration::from_nanos(self.clock.boot_nanos());
        let mut counted = self.counted.lock();
        counted.unsaid += 1;
        if counted.said_at.is_some_and(|said_at| now < said_at + INTERVAL) {
            return None;
        }
        counted.said_at = Some(now);
        Some(std::mem::take(&mut counted.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use seams::ManualClock;

    use super::*;

    #[test]
    fn a_flood_of_refusals_is_told_once_in_an_interval_and_none_is_left_out() {
        let clock = Arc::new(ManualClock::new(0));
        let refusals = Refusals::new(Arc::clone(&clock) as SharedClock);
        assert_eq!(refusals.count(), Some(1), "the first is told at once");
        assert!((0..1_000).all(|_| refusals.count().is_none()));
        clock.advance(INTERVAL);
        assert_eq!(refusals.count(), Some(1_001));
        assert_eq!(refusals.count(), None);
    }
}

//! The ring for requests refused before any grant was known: exact counts per reason, and a few samples.
//!
//! Anybody can cause these, at any rate, so nothing here waits, syncs or grows: counting takes one short lock, samples
//! are taken at a global rate, and what is counted is written with a group that is made for something else, or at most
//! once a second. What must stay true: no refusal is ever left out of the counts.

use std::collections::BTreeMap;

use authority::{
    record::{RefusalSample, Refusals},
    time::Wall,
};
use seams::clock::Clock;

/// How many samples are kept in each second, over all peers.
pub(crate) const SAMPLES_PER_SECOND: u64 = 10;

/// The most samples that wait to be written: ten seconds of them. A full disk keeps no more.
const MAX_SAMPLES: usize = 100;

/// The most reasons counted apart. They are codes of the program, of which there are far fewer; a reason beyond is
/// counted as [`OTHER`].
const MAX_REASONS: usize = 64;

/// The longest reason and the longest peer address that are kept, in bytes.
const MAX_TEXT_BYTES: usize = 128;

const OTHER: &str = "other";

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// What was counted and sampled since the last record of it.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    counts: BTreeMap<String, u64>,
    samples: Vec<RefusalSample>,
    /// The second of the boot clock in which samples were last taken, and how many.
    second: u64,
    in_second: u64,
}

impl Ring {
    /// Counts one refusal.
    pub(crate) fn count(&mut self, reason: &str, peer: &str, clock: &dyn Clock) {
        let reason = cut(reason);
        let known = self.counts.contains_key(reason) || self.counts.len() < MAX_REASONS - 1;
        let reason = if known { reason } else { OTHER };
        match self.counts.get_mut(reason) {
            Some(count) => *count += 1,
            None => {
                self.counts.insert(reason.to_owned(), 1);
            }
        }
        let second = clock.boot_nanos() / NANOS_PER_SECOND;
        if second != self.second {
            (self.second, self.in_second) = (second, 0);
        }
        if self.in_second < SAMPLES_PER_SECOND && self.samples.len() < MAX_SAMPLES {
            self.in_second += 1;
            let time = Wall(clock.wall_millis());
            self.samples.push(RefusalSample { time, reason: reason.to_owned(), peer: cut(peer).to_owned() });
        }
    }

    /// Takes what there is; nothing if nothing was refused.
    pub(crate) fn take(&mut self) -> Option<Refusals> {
        if self.counts.is_empty() {
            return None;
        }
        let counts = std::mem::take(&mut self.counts).into_iter().collect();
        Some(Refusals { counts, samples: std::mem::take(&mut self.samples) })
    }

    /// Puts back what could not be written.
    pub(crate) fn put_back(&mut self, refusals: Refusals) {
        for (reason, count) in refusals.counts {
            *self.counts.entry(reason).or_default() += count;
        }
        let newer = std::mem::replace(&mut self.samples, refusals.samples);
        self.samples.extend(newer);
        self.samples.truncate(MAX_SAMPLES);
    }
}

/// At most [`MAX_TEXT_BYTES`] of `text`, cut between characters.
fn cut(text: &str) -> &str {
    let end = (0..=text.len().min(MAX_TEXT_BYTES)).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use seams::clock::ManualClock;

    use super::*;

    /// B04: whatever the rate, the counts are exact and the samples few.
    #[test]
    fn b04_a_flood_is_counted_exactly_and_sampled_at_a_global_rate() {
        let (mut ring, clock) = (Ring::default(), ManualClock::new(0));
        for number in 0..3_000 {
            let reason = if number % 3 == 0 { "bad_checksum" } else { "unknown_token" };
            ring.count(reason, &format!("203.0.113.{}", number % 256), &clock);
        }
        clock.advance(Duration::from_secs(1));
        ring.count("unknown_token", "203.0.113.1", &clock);
        let taken = ring.take().expect("there were refusals");
        assert_eq!(taken.counts, [("bad_checksum".into(), 1_000), ("unknown_token".into(), 2_001)]);
        assert_eq!(taken.samples.len() as u64, SAMPLES_PER_SECOND + 1);
        assert_eq!(ring.take(), None);
    }

    #[test]
    fn reasons_and_texts_are_bounded_and_nothing_is_lost() {
        let (mut ring, clock) = (Ring::default(), ManualClock::new(0));
        let long = "ä".repeat(200);
        for number in 0..200 {
            ring.count(&format!("reason-{number}"), &long, &clock);
        }
        let taken = ring.take().expect("there were refusals");
        assert_eq!(taken.counts.len(), MAX_REASONS);
        assert_eq!(taken.counts.iter().map(|(_, count)| count).sum::<u64>(), 200);
        assert!(taken.samples.iter().all(|sample| sample.peer.len() <= MAX_TEXT_BYTES));
    }

    #[test]
    fn what_could_not_be_written_is_counted_with_what_came_after() {
        let (mut ring, clock) = (Ring::default(), ManualClock::new(0));
        ring.count("a", "p", &clock);
        let failed = ring.take().expect("there was one");
        ring.count("a", "q", &clock);
        ring.put_back(failed);
        let taken = ring.take().expect("there are two");
        assert_eq!(taken.counts, [("a".into(), 2)]);
        let peers: Vec<_> = taken.samples.iter().map(|sample| sample.peer.as_str()).collect();
        assert_eq!(peers, ["p", "q"]);
    }
}

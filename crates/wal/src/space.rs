//! Room on the disk: what calls may use, and what is kept in reserve for denials and outcomes.
//!
//! It is asked before each group, so that a call is refused before its intent is written and before any byte of it goes
//! upstream. Refused requests of strangers never use the reserve.

use crate::shared::Shared;

/// How many bytes may be written now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// For intents and counts of refusals.
    pub(crate) calls: u64,
    /// For denials and outcomes, the reserve included.
    pub(crate) reserve: u64,
}

impl Room {
    /// The room that is left by `used` bytes of the log and `free` bytes of the disk.
    pub(crate) fn new(max_bytes: u64, reserve_bytes: u64, used: u64, free: u64) -> Self {
        let all = max_bytes.saturating_sub(used).min(free);
        Self { calls: all.saturating_sub(reserve_bytes), reserve: all }
    }
}

impl Shared {
    /// The room now. A disk that cannot say how much is free is taken for full.
    pub(crate) fn room(&self) -> Room {
        let free = self.disk.free_bytes(&self.config.dir).unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot learn the free space of the write-ahead log's disk");
            0
        });
        let used = self.segments().iter().map(|segment| segment.written).sum();
        Room::new(self.config.max_bytes, self.config.reserve_bytes, used, free)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B03: the tighter of the log's bound and the disk's free space counts, and the reserve is not for calls.
    #[test]
    fn b03_calls_may_not_use_the_reserve() {
        assert_eq!(Room::new(1_000, 100, 300, 10_000), Room { calls: 600, reserve: 700 });
        assert_eq!(Room::new(1_000, 100, 300, 90), Room { calls: 0, reserve: 90 });
        assert_eq!(Room::new(1_000, 100, 1_200, 10_000), Room { calls: 0, reserve: 0 });
    }
}

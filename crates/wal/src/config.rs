//! What an operator sets about the log, and the bounds that hold whatever is set.

use std::{path::PathBuf, time::Duration};

/// When a record counts as recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// When the disk has it: it survives the loss of power. The cluster's default.
    Synced,
    /// When the operating system has it: it survives `kill -9`, and a background sync follows within
    /// [`Config::sync_interval`]. The default of `dev`.
    Written,
}

/// The settings of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The directory of the segments, and of nothing else. Made if it does not exist.
    pub dir: PathBuf,
    /// When a record counts as recorded.
    pub durability: Durability,
    /// A segment that has reached this length, in bytes, gets a successor.
    pub segment_bytes: u64,
    /// What all segments together may take, in bytes.
    pub max_bytes: u64,
    /// The part of `max_bytes`, and of the disk's free space, that calls may not use: it is kept for denials and
    /// outcomes. In bytes.
    pub reserve_bytes: u64,
    /// How long a written record waits for its sync at most, with [`Durability::Written`].
    pub sync_interval: Duration,
}

impl Config {
    /// The usual settings: segments of 64 MiB, 4 GiB in all (some 8 million records, hours of a busy edge without an
    /// archive), 64 MiB of them in reserve, a background sync every 100 ms.
    pub fn new(dir: impl Into<PathBuf>, durability: Durability) -> Self {
        Self {
            dir: dir.into(),
            durability,
            segment_bytes: 64 << 20,
            max_bytes: 4 << 30,
            reserve_bytes: 64 << 20,
            sync_interval: Duration::from_millis(100),
        }
    }
}

/// The longest encoded record, in bytes. The longest there is names every open intent of the epoch before
/// ([`MAX_OPEN_INTENTS`] numbers of at most ten bytes).
pub const MAX_RECORD_BYTES: usize = 1 << 20;

/// The most calls whose outcome is not recorded yet. Above it calls are refused; an edge's own bounds are lower.
pub const MAX_OPEN_INTENTS: usize = 1 << 16;

/// The most intents and denials that wait for the writer. Each holds a caller that waits, so that a longer queue would
/// only be a longer wait.
pub const MAX_WAITING: usize = 8_192;

/// The most bytes that are written and synced as one group.
pub const MAX_GROUP_BYTES: usize = 1 << 20;

/// How often the counts of refused requests are written, if there are any.
pub const REFUSALS_INTERVAL: Duration = Duration::from_secs(1);

/// The longest segment that recovery reads into memory, whatever wrote it.
pub const MAX_SEGMENT_BYTES: u64 = 1 << 30;

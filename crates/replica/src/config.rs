//! The configuration of a replica: where it lives, who it is and its times. What must stay true: a configuration whose
//! times could let every lease lapse during an ordinary leader change is refused before anything starts.

use std::{path::PathBuf, time::Duration};

use authority::{name::Name, node};

/// How many renewals fit in one lease.
pub const RENEWALS_PER_LEASE: u32 = 6;

/// The drift ε of a node's clock that leases allow for, in parts per thousand.
pub const DRIFT_PER_MILLE: u32 = 1;

/// Below so many free bytes only narrowing commands are proposed, unless the configuration says otherwise: room for
/// some thousand revocations and the snapshot that follows them.
pub const DEFAULT_FREE_SPACE_MARK_BYTES: u64 = 64 * 1024 * 1024;

/// How many entries lie between two snapshots, unless the configuration says otherwise: at a few hundred bytes each a
/// replay of some megabytes, well under a second.
pub const DEFAULT_ENTRIES_PER_SNAPSHOT: u64 = 5_000;

/// What a replica is told when it starts.
#[derive(Clone, Debug)]
pub struct Config {
    /// The directory that belongs to this node alone. It is made if it is missing.
    pub dir: PathBuf,
    /// Which node this is.
    pub node: node::Id,
    /// The id of the cluster: needed to found one; later it may be left out, and must match if it is not.
    pub cluster: Option<Name>,
    /// How long a lease lasts (L).
    pub lease: Duration,
    /// How often a leader tells the others that it leads.
    pub heartbeat: Duration,
    /// The shortest time without a leader after which a voter stands for election.
    pub election_min: Duration,
    /// The longest such time.
    pub election_max: Duration,
    /// How many entries lie between two snapshots.
    pub entries_per_snapshot: u64,
    /// Below so many free bytes only narrowing commands are proposed.
    pub free_space_mark_bytes: u64,
}

/// Why times do not go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTimes {
    /// The election times are not above each other and above the heartbeat.
    #[error(
        "times must grow from heartbeat ({heartbeat:?}) to the shortest ({election_min:?}) and the longest \
         ({election_max:?}) election timeout; choose them further apart, such as 75 ms, 300 ms and 600 ms"
    )]
    Elections {
        /// The heartbeat as configured.
        heartbeat: Duration,
        /// The shortest election timeout as configured.
        election_min: Duration,
        /// The longest election timeout as configured.
        election_max: Duration,
    },
    /// A lease could lapse while a leader is replaced.
    #[error(
        "a lease of {lease:?} can have {left:?} left when a leader is lost, and a leader change with one more \
         election takes up to {change:?}; make the lease longer or the election timeouts shorter"
    )]
    LeaseTooShort {
        /// The lease as configured.
        lease: Duration,
        /// What is left of it at the worst moment.
        left: Duration,
        /// How long replacing a leader may take.
        change: Duration,
    },
}

impl Config {
    /// The configuration of `node` in `dir`, with the times that a network of one site wants.
    pub fn new(dir: impl Into<PathBuf>, node: node::Id) -> Self {
        Self {
            dir: dir.into(),
            node,
            cluster: None,
            lease: Duration::from_secs(3),
            heartbeat: Duration::from_millis(75),
            election_min: Duration::from_millis(300),
            election_max: Duration::from_millis(600),
            entries_per_snapshot: DEFAULT_ENTRIES_PER_SNAPSHOT,
            free_space_mark_bytes: DEFAULT_FREE_SPACE_MARK_BYTES,
        }
    }

    /// How often the lease is renewed.
    pub fn renewal_interval(&self) -> Duration {
        self.lease / RENEWALS_PER_LEASE
    }

    /// For how long a node may enforce after the instant at which it began to renew, on its own clock: L(1−ε).
    pub fn enforceable(&self) -> Duration {
        self.lease - self.lease * DRIFT_PER_MILLE / 1_000
    }

    /// Refuses times that contradict each other.
    pub fn check_times(&self) -> Result<(), BadTimes> {
        let Self { lease, heartbeat, election_min, election_max, .. } = *self;
        if heartbeat.is_zero() || election_min <= heartbeat || election_max <= election_min {
            return Err(BadTimes::Elections { heartbeat, election_min, election_max });
        }
        // A voter refuses other candidates for the longest election timeout after it last heard of a leader, then
        // waits its own; a split vote costs one more.
        let change = election_max * 3;
        let left = self.enforceable() - self.renewal_interval();
        if left <= change {
            return Err(BadTimes::LeaseTooShort { lease, left, change });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config::new("unused", node::Id(1))
    }

    #[test]
    fn the_default_times_go_together() {
        assert_eq!(config().check_times(), Ok(()));
        assert_eq!(config().enforceable(), Duration::from_millis(2_997));
        assert_eq!(config().renewal_interval(), Duration::from_millis(500));
    }

    #[test]
    fn a_lease_that_a_leader_change_outlasts_is_refused() {
        let short = Config { lease: Duration::from_secs(2), ..config() };
        assert!(matches!(short.check_times(), Err(BadTimes::LeaseTooShort { .. })));
    }

    #[test]
    fn election_timeouts_at_or_below_the_heartbeat_are_refused() {
        for (heartbeat, min, max) in [(300, 300, 600), (0, 300, 600), (75, 600, 600)] {
            let [heartbeat, election_min, election_max] = [heartbeat, min, max].map(Duration::from_millis);
            let config = Config { heartbeat, election_min, election_max, ..config() };
            assert!(matches!(config.check_times(), Err(BadTimes::Elections { .. })));
        }
    }
}

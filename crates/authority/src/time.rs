//! Instants as plain numbers. Nothing here reads a clock: the values come from `seams::Clock` or from a command.
//!
//! Two time lines are kept apart by type: [`Wall`] is what people mean (grants expire on it), [`Boot`] is what leases
//! run on, because it counts suspended time and nobody can set it.

use std::fmt;

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Wall(pub u64);

/// Nanoseconds of this machine's `CLOCK_BOOTTIME`. Comparable only on the machine that read it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Boot(pub u64);

/// The two clocks, read together for one check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Now {
    /// For expiry.
    pub wall: Wall,
    /// For leases.
    pub boot: Boot,
}

impl Wall {
    /// This instant and `millis` later; saturates.
    #[must_use]
    pub fn plus_millis(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }
}

impl fmt::Debug for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0)
    }
}

//! The lease of this node, as one atomic number: until when, on the boot clock, it may enforce from its view.
//!
//! Who renews it, and when it may be renewed, is `replica`'s; here it can only be read and set.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::time::Boot;

/// A reading of the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lease {
    enforce_until: Boot,
}

/// The lease of this node, shared between the one who renews it and all who enforce under it.
#[derive(Debug, Default)]
pub struct LeaseCell {
    enforce_until_nanos: AtomicU64,
}

impl Lease {
    /// No lease at all.
    pub const NONE: Self = Self { enforce_until: Boot(0) };

    /// A lease that ends at `enforce_until`.
    pub fn until(enforce_until: Boot) -> Self {
        Self { enforce_until }
    }

    /// Whether the node may enforce at `now`.
    pub fn covers(self, now: Boot) -> bool {
        now < self.enforce_until
    }

    /// When it ends.
    pub fn enforce_until(self) -> Boot {
        self.enforce_until
    }
}

impl LeaseCell {
    /// A cell that holds no lease.
    pub fn new() -> Self {
        Self::default()
    }

    /// The lease now.
    pub fn read(&self) -> Lease {
        Lease::until(Boot(self.enforce_until_nanos.load(Ordering::SeqCst)))
    }

    /// Extends the lease; a lease that ends earlier than the held one changes nothing, so that answers may overtake
    /// each other.
    pub fn extend(&self, lease: Lease) {
        self.enforce_until_nanos.fetch_max(lease.enforce_until.0, Ordering::SeqCst);
    }

    /// Gives the lease up.
    pub fn drop_lease(&self) {
        self.enforce_until_nanos.store(0, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_cell_covers_no_instant() {
        assert!(!LeaseCell::new().read().covers(Boot(0)));
    }

    #[test]
    fn a_lease_ends_at_its_end_and_an_older_answer_does_not_shorten_it() {
        let cell = LeaseCell::new();
        cell.extend(Lease::until(Boot(10)));
        cell.extend(Lease::until(Boot(7)));
        assert!(cell.read().covers(Boot(9)));
        assert!(!cell.read().covers(Boot(10)));
        cell.drop_lease();
        assert!(!cell.read().covers(Boot(1)));
    }
}

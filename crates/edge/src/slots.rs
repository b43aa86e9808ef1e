//! How much of one kind may be going on at once, in all and for each grant, so that no grant can take the node from the
//! others (FAULTS E11). Taking a slot never waits: a caller that finds none is told to come back.

use std::{collections::HashMap, num::NonZeroU32, sync::Arc};

use authority::grant;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// The slots of one kind.
#[derive(Debug)]
pub(crate) struct Slots {
    total: u32,
    per_grant: u32,
    taken: Mutex<Taken>,
    /// Told when the last slot is free again.
    emptied: Notify,
}

#[derive(Debug, Default)]
struct Taken {
    total: u32,
    /// Grants that hold at least one; so the map is never larger than `total`.
    by_grant: HashMap<grant::Id, u32>,
}

/// A slot that is taken. It is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Arc<Slots>,
    grant: grant::Id,
}

/// Whose slots are all taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Busy {
    /// Those of the grant.
    #[error("this grant has {limit} of these in flight, which is its bound; wait for one to end")]
    Grant {
        /// The bound.
        limit: u32,
    },
    /// Those of the node.
    #[error("this node has {limit} of these in flight, which is its bound; try again in a moment")]
    Node {
        /// The bound.
        limit: u32,
    },
}

impl Slots {
    pub(crate) fn new(total: NonZeroU32, per_grant: NonZeroU32) -> Arc<Self> {
        Arc::new(Self {
            total: total.get(),
            per_grant: per_grant.get(),
            taken: Mutex::default(),
            emptied: Notify::new(),
        })
    }

    /// Takes a slot for `grant`.
    pub(crate) fn take(self: &Arc<Self>, grant: grant::Id) -> Result<Slot, Busy> {
        let mut taken = self.taken.lock();
        if taken.total == self.total {
            return Err(Busy::Node { limit: self.total });
        }
        let own = taken.by_grant.entry(grant).or_default();
        if *own == self.per_grant {
            return Err(Busy::Grant { limit: self.per_grant });
        }
        *own += 1;
        taken.total += 1;
        Ok(Slot { slots: Arc::clone(self), grant })
    }

    /// Waits until no slot is taken.
    pub(crate) async fn all_free(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.taken.lock().total == 0 {
                return;
            }
            emptied.await;
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.taken.lock();
        taken.total -= 1;
        let own = taken.by_grant.get_mut(&self.grant).expect("a slot is counted until it is dropped");
        *own -= 1;
        if *own == 0 {
            taken.by_grant.remove(&self.grant);
        }
        if taken.total == 0 {
            self.slots.emptied.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e11_one_grant_cannot_take_the_slots_of_another() {
        let bound = |number| NonZeroU32::new(number).expect("not zero");
        let slots = Slots::new(bound(3), bound(2));
        let (one, other) = (grant::Id([1; 16]), grant::Id([2; 16]));
        let first = slots.take(one).expect("free");
        let second = slots.take(one).expect("free");
        assert_eq!(slots.take(one).expect_err("its bound"), Busy::Grant { limit: 2 });
        let third = slots.take(other).expect("free for another");
        assert_eq!(slots.take(other).expect_err("the node's bound"), Busy::Node { limit: 3 });
        drop(first);
        drop(slots.take(one).expect("free again"));
        drop((second, third));
        assert!(slots.taken.lock().by_grant.is_empty());
    }
}

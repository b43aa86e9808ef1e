//! Whose grants are not honoured: suspended principals, and agents whose owner is suspended.
//!
//! This follows from the principals and is kept beside them so that a decision asks one small set, which stays in the
//! processor's cache, and not the principal and its owner, which do not. What must stay true: a principal is in the
//! set exactly when [`Authority::judge`] would put it there; one that is unknown, or whose owner is, counts as
//! suspended.

use crate::{authority::Authority, interning::HashedMap, principal};

/// Who is halted, and why.
pub(crate) type Halted = HashedMap<principal::Id, Halt>;

/// Why the grants of a principal are not honoured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    /// It is suspended, or not known.
    Itself,
    /// The owner behind the agent is suspended, or not known.
    Owner(principal::Id),
}

impl Authority {
    /// Why the grants of this principal are not honoured; nothing if they are.
    pub(crate) fn halt_of(&self, id: &principal::Id) -> Option<&Halt> {
        self.halted.get(id)
    }

    /// What the principals say about this one.
    pub(crate) fn judged(&self, id: &principal::Id) -> Option<Halt> {
        let suspended = |id| self.principals.get(id).is_none_or(|held| held.suspended);
        if suspended(id) {
            return Some(Halt::Itself);
        }
        let owner = self.principals.get(id).and_then(|held| held.owner())?;
        suspended(owner).then(|| Halt::Owner(owner.clone()))
    }

    /// Puts this principal into the set or takes it out, as the principals say.
    pub(crate) fn judge(&mut self, id: &principal::Id) {
        match self.judged(id) {
            Some(halt) => self.halted.insert(id.clone(), halt),
            None => self.halted.remove(id),
        };
    }

    /// Does so for a principal that was suspended or resumed, and the agents it owns. Looks at all principals, which for
    /// 100,000 of them takes a few milliseconds; such changes are rare.
    pub(crate) fn judge_with_agents(&mut self, id: &principal::Id) {
        self.judge(id);
        let owned = self.principals.values().filter(|held| held.owner() == Some(id));
        for agent in owned.map(|held| held.id.clone()).collect::<Vec<_>>() {
            self.judge(&agent);
        }
    }

    /// Does so for all principals.
    pub(crate) fn find_halted(&mut self) {
        for id in self.principals.keys().cloned().collect::<Vec<_>>() {
            self.judge(&id);
        }
    }
}

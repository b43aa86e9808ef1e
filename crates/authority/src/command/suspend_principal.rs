//! Suspends a principal, and with it every grant of it and of the agents it owns.

use super::{Handle, Rejected, Rejection};
use crate::{authority::Authority, event::Event, principal, time::Wall};

/// Suspends a principal, and with it every grant of it and of the agents it owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuspendPrincipal {
    /// Which principal.
    pub principal: principal::Id,
}

impl Handle for SuspendPrincipal {
    fn name(&self) -> &'static str {
        "suspend_principal"
    }

    fn subject(&self) -> String {
        format!("principals/{}", self.principal)
    }

    fn decide(&self, state: &Authority, _now: Wall) -> Result<Vec<Event>, Rejected> {
        let found = state.principals.get(&self.principal);
        let found =
            found.ok_or_else(|| Rejection::NotFound.about(format_args!("principals/{}", self.principal)))?;
        if found.suspended {
            return Ok(Vec::new());
        }
        Ok(vec![Event::PrincipalSuspended(self.principal.clone())])
    }
}

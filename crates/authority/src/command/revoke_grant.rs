//! Revokes a grant, and with it the tree below it, for ever.

use super::{Handle, Rejected, Rejection};
use crate::{authority::Authority, event::Event, grant, time::Wall};

/// Revokes a grant, and with it the tree below it, for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokeGrant {
    /// Which grant.
    pub grant: grant::Id,
}

impl Handle for RevokeGrant {
    fn name(&self) -> &'static str {
        "revoke_grant"
    }

    fn subject(&self) -> String {
        format!("grants/{}", self.grant)
    }

    fn decide(&self, state: &Authority, _now: Wall) -> Result<Vec<Event>, Rejected> {
        let grant = state.grants.get(&self.grant);
        let grant = grant.ok_or_else(|| Rejection::NotFound.about(format_args!("grants/{}", self.grant)))?;
        match grant.revoked_at {
            Some(_) => Ok(Vec::new()),
            None => Ok(vec![Event::GrantRevoked(self.grant)]),
        }
    }
}

//! Gives a grant a new token. Narrowing: the token before ends, at once or after the overlap.

use super::{Handle, Rejected, Rejection};
use crate::{
    authority::Authority,
    event::Event,
    grant::{self, MAX_ROTATION_OVERLAP_MILLIS, TokenHash},
    time::Wall,
};

/// Gives a grant a new token. Narrowing: the token before ends, at once or after the overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotateGrantToken {
    /// Which grant.
    pub grant: grant::Id,
    /// The hash of the new token.
    pub token: TokenHash,
    /// For how long the token before is still honoured.
    pub overlap_millis: u64,
}

impl Handle for RotateGrantToken {
    fn name(&self) -> &'static str {
        "rotate_grant_token"
    }

    fn subject(&self) -> String {
        format!("grants/{}", self.grant)
    }

    fn decide(&self, state: &Authority, now: Wall) -> Result<Vec<Event>, Rejected> {
        let about = format_args!("grants/{}", self.grant);
        let grant = state.grants.get(&self.grant).ok_or_else(|| Rejection::NotFound.about(about))?;
        if grant.revoked_at.is_some() {
            return Err(Rejection::GrantRevoked.about(about));
        }
        if state.tokens.contains_key(&self.token) {
            return Err(Rejection::TokenInUse.about(about));
        }
        if self.overlap_millis > MAX_ROTATION_OVERLAP_MILLIS {
            return Err(Rejection::OutOfBounds.about(format_args!("the overlap for grants/{}", self.grant)));
        }
        let previous_until = now.plus_millis(self.overlap_millis);
        Ok(vec![Event::GrantTokenRotated { grant: self.grant, token: self.token, previous_until }])
    }
}

//! Gives an operator a new token; the one before ends at once.

use super::{Handle, Rejected, Rejection};
use crate::{authority::Authority, event::Event, grant::TokenHash, operator, time::Wall};

/// Gives an operator a new token; the one before ends at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotateOperatorToken {
    /// Which operator.
    pub operator: operator::Id,
    /// The hash of the new token.
    pub token: TokenHash,
}

impl Handle for RotateOperatorToken {
    fn name(&self) -> &'static str {
        "rotate_operator_token"
    }

    fn subject(&self) -> String {
        format!("operators/{}", self.operator)
    }

    fn decide(&self, state: &Authority, _now: Wall) -> Result<Vec<Event>, Rejected> {
        let about = format_args!("operators/{}", self.operator);
        if !state.operators.contains_key(&self.operator) {
            return Err(Rejection::NotFound.about(about));
        }
        if state.operators.values().any(|operator| operator.token == self.token) {
            return Err(Rejection::TokenInUse.about(about));
        }
        Ok(vec![Event::OperatorTokenRotated { operator: self.operator.clone(), token: self.token }])
    }
}

//! Adds an operator. Widening.

use super::{Class, Handle, Rejected, Rejection};
use crate::{authority::Authority, event::Event, operator::Operator, time::Wall};

/// Adds an operator. Widening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddOperator {
    /// The operator.
    pub operator: Operator,
}

impl Handle for AddOperator {
    fn class(&self) -> Class {
        Class::Widening
    }

    fn name(&self) -> &'static str {
        "add_operator"
    }

    fn subject(&self) -> String {
        format!("operators/{}", self.operator.id)
    }

    fn decide(&self, state: &Authority, _now: Wall) -> Result<Vec<Event>, Rejected> {
        let about = format_args!("operators/{}", self.operator.id);
        if state.operators.contains_key(&self.operator.id) {
            return Err(Rejection::AlreadyExists.about(about));
        }
        if state.operators.values().any(|operator| operator.token == self.operator.token) {
            return Err(Rejection::TokenInUse.about(about));
        }
        Ok(vec![Event::OperatorAdded(self.operator.clone())])
    }
}

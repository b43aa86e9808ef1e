//! What the answer to a narrowing command says: that it is enforced everywhere, how long that took, and what was cut.
//!
//! With one member, "everywhere" is here: the command was applied, its view published and its calls cut before the
//! state machine answered, and an earlier start of this node cannot be alive, because it would still hold the lock of
//! the data directory. When members can join, the fence (DESIGN.md, section 6) waits in [`enforced`], between the
//! answer of the state machine and this one, and adds the nodes it waited out.

use std::{sync::Arc, time::Duration};

use authority::{
    command::{Class, Outcome},
    enforcement::Call,
};

use crate::type_config::Answered;

/// That a narrowing is enforced everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enforced {
    /// From the arrival of the proposal until no edge allows what it took away.
    pub elapsed: Duration,
    /// How many calls in flight were cut.
    pub calls_cut: u64,
    /// The first of them, at most [`crate::MAX_NAMED_CALLS`].
    pub first_cut: Vec<Arc<Call>>,
}

/// The claim that goes with an answer: none for a command that narrows nothing, or was rejected. A repetition that
/// changes nothing states the narrowing too, and it is as true for it.
pub(crate) fn enforced(class: Class, answered: &Answered, elapsed: Duration) -> Option<Enforced> {
    let done = matches!(answered.outcome, Outcome::Done { .. });
    (done && class == Class::Narrowing).then(|| Enforced {
        elapsed,
        calls_cut: answered.cut.count,
        first_cut: answered.cut.first.clone(),
    })
}

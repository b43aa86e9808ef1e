//! Whose doing a cut was. One publication can carry many narrowing commands; each call that it cut belongs to the first
//! command after which the call was not allowed any more, so that an answer names exactly its own cuts.

use std::sync::Arc;

use authority::{View, decision::still_allowed, enforcement::Call, time::Wall};

/// The most calls that one answer names; the count beside them is exact.
pub const MAX_NAMED_CALLS: usize = 100;

/// The calls that one command cut.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct CutCalls {
    /// How many.
    pub(crate) count: u64,
    /// The first of them, at most [`MAX_NAMED_CALLS`].
    pub(crate) first: Vec<Arc<Call>>,
}

/// What applying a batch of entries left behind, for telling cuts apart.
pub(crate) struct Steps {
    /// The view before the first command.
    pub(crate) before: View,
    /// The view after each narrowing command, in order.
    pub(crate) narrowed: Vec<View>,
}

/// Shares `cut` out among the narrowing commands of `steps`: one element for each of them. A call that was not allowed
/// even before (its grant had just expired, say) is nobody's.
pub(crate) fn attribute(cut: Vec<Arc<Call>>, steps: &Steps, wall: Wall) -> Vec<CutCalls> {
    let mut shares = vec![CutCalls::default(); steps.narrowed.len()];
    for call in cut {
        if still_allowed(&steps.before, &call, wall).is_err() {
            continue;
        }
        let culprit = steps.narrowed.iter().position(|after| still_allowed(after, &call, wall).is_err());
        let Some(share) = culprit.and_then(|at| shares.get_mut(at)) else { continue };
        share.count += 1;
        if share.first.len() < MAX_NAMED_CALLS {
            share.first.push(call);
        }
    }
    shares
}

//! What must hold of every state, one function each. Unit tests, the simulation and debug builds share them.
//!
//! Each answers what is broken, in words for whoever reads the failing run. [`every`] checks all of them over one step
//! from a state to the next.

mod answers_are_kept_in_order;
mod credentials_match_servers;
mod events_are_gap_free;
mod halted_are_the_suspended;
mod ids_are_never_reused;
mod revoked_is_absorbing;
mod snapshot_is_the_state;
mod sub_grants_are_no_wider;
mod tokens_match_grants;

pub use answers_are_kept_in_order::answers_are_kept_in_order;
pub use credentials_match_servers::credentials_match_servers;
pub use events_are_gap_free::events_are_gap_free;
pub use halted_are_the_suspended::halted_are_the_suspended;
pub use ids_are_never_reused::ids_are_never_reused;
pub use revoked_is_absorbing::revoked_is_absorbing;
pub use snapshot_is_the_state::snapshot_is_the_state;
pub use sub_grants_are_no_wider::sub_grants_are_no_wider;
pub use tokens_match_grants::tokens_match_grants;

use crate::authority::Authority;

/// Checks every invariant of the step from `before` to `after`.
pub fn every(before: &Authority, after: &Authority) -> Result<(), String> {
    revoked_is_absorbing(before, after)?;
    ids_are_never_reused(before, after)?;
    credentials_match_servers(before, after)?;
    tokens_match_grants(after)?;
    halted_are_the_suspended(after)?;
    sub_grants_are_no_wider(after)?;
    events_are_gap_free(after)?;
    answers_are_kept_in_order(after)?;
    snapshot_is_the_state(after)
}

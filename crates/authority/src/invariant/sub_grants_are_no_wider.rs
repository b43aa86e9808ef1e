//! A sub-grant reaches nothing that its parent does not, ends no later, and hangs on a path of bounded length.

use crate::{
    authority::Authority,
    grant::{Grant, MAX_DEPTH},
};

/// Holds when every grant with a parent is within it.
pub fn sub_grants_are_no_wider(state: &Authority) -> Result<(), String> {
    for grant in state.grants.values() {
        let Some(parent) = grant.parent else { continue };
        let Some(parent) = state.grants.get(&parent) else {
            return Err(format!("grant {} hangs on {parent}, which is not there", grant.id));
        };
        if !is_within(grant, parent) {
            return Err(format!("grant {} is wider than its parent {}", grant.id, parent.id));
        }
        // One more than the bound is enough to see it broken, also if the path were a circle.
        if state.path(grant.id).take(MAX_DEPTH + 1).count() > MAX_DEPTH {
            return Err(format!("grant {} stands too deep", grant.id));
        }
    }
    Ok(())
}

fn is_within(grant: &Grant, parent: &Grant) -> bool {
    let covered = grant.scopes.iter().all(|scope| parent.scopes.iter().any(|wide| wide.covers(scope)));
    let ends_in_time = parent.expires_at.is_none_or(|ends| grant.expires_at.is_some_and(|own| own <= ends));
    covered && ends_in_time
}

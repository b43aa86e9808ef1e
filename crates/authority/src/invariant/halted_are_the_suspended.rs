//! Whose grants are not honoured follows from the principals: nobody is halted who is not suspended or owned by somebody
//! who is, and nobody is left out.

use crate::authority::Authority;

/// Holds when the set of halted principals is what the principals say.
pub fn halted_are_the_suspended(state: &Authority) -> Result<(), String> {
    for id in state.principals.keys().chain(state.grants.values().map(|grant| &grant.principal)) {
        if state.halt_of(id) != state.judged(id).as_ref() {
            return Err(format!("principal {id} is halted: {:?}", state.halt_of(id)));
        }
    }
    match state.halted.keys().find(|id| state.judged(id).is_none()) {
        Some(id) => Err(format!("principal {id} is halted for nothing")),
        None => Ok(()),
    }
}

//! A snapshot is the whole state: putting one together gives the state it was taken of.

use crate::{
    authority::Authority,
    snapshot::{from_parts, parts},
};

/// Holds when the state put together from its parts has the same parts and the same indexes.
pub fn snapshot_is_the_state(state: &Authority) -> Result<(), String> {
    let taken = parts(state);
    let restored = from_parts(taken.clone());
    if parts(&restored) != taken {
        return Err("a state restored from a snapshot has other parts".to_owned());
    }
    if restored.tokens != state.tokens || restored.halted != state.halted {
        return Err("a state restored from a snapshot has other indexes".to_owned());
    }
    Ok(())
}

//! An id means the same thing for ever (E36): nothing that has an id of its own disappears, and what it is stays.
//! Credentials are the exception: nothing outlives one that names it.

use crate::authority::Authority;

/// Holds when each principal, server, grant, operator and node of `before` is the same one in `after`.
pub fn ids_are_never_reused(before: &Authority, after: &Authority) -> Result<(), String> {
    for was in before.principals.values() {
        if after.principals.get(&was.id).is_none_or(|is| is.kind != was.kind) {
            return Err(format!("principal {} is gone or another one", was.id));
        }
    }
    for was in before.servers.values() {
        if after.servers.get(&was.id).is_none_or(|is| is.endpoint != was.endpoint) {
            return Err(format!("server {} is gone or another one", was.id));
        }
    }
    for was in before.grants.values() {
        let same = after.grants.get(&was.id).is_some_and(|is| {
            (&is.principal, is.parent, &is.scopes, is.issued_at, is.not_before, is.expires_at)
                == (&was.principal, was.parent, &was.scopes, was.issued_at, was.not_before, was.expires_at)
        });
        if !same {
            return Err(format!("grant {} is gone or another one", was.id));
        }
    }
    for was in before.operators.values() {
        if after.operators.get(&was.id).is_none_or(|is| is.role != was.role) {
            return Err(format!("operator {} is gone or another one", was.id));
        }
    }
    for was in before.nodes.values() {
        if after.nodes.get(&was.id).is_none_or(|is| is.epoch < was.epoch) {
            return Err(format!("node {} is gone or went back", was.id));
        }
    }
    Ok(())
}

//! Adds a principal. Widening: before, nobody of this id could hold a grant.

use super::{Class, Handle, Rejected, Rejection};
use crate::{
    authority::Authority,
    event::Event,
    principal::{MAX_DISPLAY_NAME_BYTES, MAX_GROUPS, Principal},
    time::Wall,
};

/// Adds a principal. Widening: before, nobody of this id could hold a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddPrincipal {
    /// The principal, not suspended.
    pub principal: Principal,
}

impl Handle for AddPrincipal {
    fn class(&self) -> Class {
        Class::Widening
    }

    fn name(&self) -> &'static str {
        "add_principal"
    }

    fn subject(&self) -> String {
        format!("principals/{}", self.principal.id)
    }

    fn decide(&self, state: &Authority, _now: Wall) -> Result<Vec<Event>, Rejected> {
        let added = &self.principal;
        if state.principals.contains_key(&added.id) {
            return Err(Rejection::AlreadyExists.about(format_args!("principals/{}", added.id)));
        }
        if let Some(owner) = added.owner() {
            let found = state.principals.get(owner);
            let found = found.ok_or_else(|| Rejection::NotFound.about(format_args!("principals/{owner}")))?;
            if found.owner().is_some() {
                return Err(Rejection::OwnerIsAgent.about(format_args!("principals/{owner}")));
            }
        }
        if added.display_name.len() > MAX_DISPLAY_NAME_BYTES || added.groups.len() > MAX_GROUPS {
            return Err(
                Rejection::OutOfBounds.about(format_args!("the name or groups of principals/{}", added.id))
            );
        }
        Ok(vec![Event::PrincipalAdded(Principal { suspended: false, ..added.clone() })])
    }
}

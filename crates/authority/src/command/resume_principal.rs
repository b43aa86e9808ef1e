//! Resumes a suspended principal.

use super::{Class, Handle, Rejected, Rejection};
use crate::{authority::Authority, event::Event, principal, time::Wall};

/// Resumes a suspended principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResumePrincipal {
    /// Which principal.
    pub principal: principal::Id,
}

impl Handle for ResumePrincipal {
    fn class(&self) -> Class {
        Class::Widening
    }

    fn name(&self) -> &'static str {
        "resume_principal"
    }

    fn subject(&self) -> String {
        format!("principals/{}", self.principal)
    }

    fn decide(&self, state: &Authority, _now: Wall) -> Result<Vec<Event>, Rejected> {
        let found = state.principals.get(&self.principal);
        let found =
            found.ok_or_else(|| Rejection::NotFound.about(format_args!("principals/{}", self.principal)))?;
        if !found.suspended {
            return Ok(Vec::new());
        }
        Ok(vec![Event::PrincipalResumed(self.principal.clone())])
    }
}

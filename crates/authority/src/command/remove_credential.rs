//! Removes a credential; its server gets calls without one.

use super::{Handle, Rejected, Rejection};
use crate::{authority::Authority, credential, event::Event, time::Wall};

/// Removes a credential; its server gets calls without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveCredential {
    /// Which credential.
    pub credential: credential::Id,
}

impl Handle for RemoveCredential {
    fn name(&self) -> &'static str {
        "remove_credential"
    }

    fn subject(&self) -> String {
        format!("credentials/{}", self.credential)
    }

    fn decide(&self, state: &Authority, _now: Wall) -> Result<Vec<Event>, Rejected> {
        if !state.credentials.contains_key(&self.credential) {
            return Err(Rejection::NotFound.about(format_args!("credentials/{}", self.credential)));
        }
        Ok(vec![Event::CredentialRemoved(self.credential.clone())])
    }
}

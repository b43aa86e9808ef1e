//! Sets the credential of a server, or gives it a new value. Widening: it takes no right from any grant.

use super::{Class, Handle, Rejected, Rejection};
use crate::{
    authority::Authority,
    credential::{Credential, MAX_SEALED_BYTES},
    event::Event,
    server::Status,
    time::Wall,
};

/// Sets the credential of a server, or gives it a new value. Widening: it takes no right from any grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetCredential {
    /// The credential, sealed, bound to the origin of its server.
    pub credential: Credential,
}

impl Handle for SetCredential {
    fn class(&self) -> Class {
        Class::Widening
    }

    fn name(&self) -> &'static str {
        "set_credential"
    }

    fn decide(&self, state: &Authority, _now: Wall) -> Result<Vec<Event>, Rejected> {
        let set = &self.credential;
        let server = state.servers.get(&set.server).filter(|server| server.status != Status::Removed);
        let server =
            server.ok_or_else(|| Rejection::NotFound.about(format_args!("servers/{}", set.server)))?;
        let about = format_args!("credentials/{}", set.id);
        let before = state.credentials.get(&set.id);
        let other_server = before.is_some_and(|before| before.server != set.server);
        if server.endpoint.origin != set.origin || other_server {
            return Err(Rejection::OriginMismatch.about(about));
        }
        if set.version != before.map_or(1, |before| before.version.saturating_add(1)) {
            return Err(Rejection::VersionMismatch.about(about));
        }
        if set.sealed.0.len() > MAX_SEALED_BYTES {
            return Err(Rejection::OutOfBounds.about(about));
        }
        Ok(vec![Event::CredentialSet(set.clone())])
    }
}

//! What all services do alike: propose a command for the caller, read a linearizable view, mint tokens.

use std::sync::Arc;

use authority::{
    View,
    command::{Body, Outcome},
    event::{Actor, Revision},
    grant::{self, TokenHash},
    operator, request,
    server::Endpoint,
    time::Wall,
};
use keyring::{
    Keyring,
    derived_id::IdDeriver,
    pepper::Pepper,
    token::{self, Token, TokenKind},
};
use replica::{Enforced, Proposal};
use seams::entropy;
use tonic::Status;

use crate::{
    parse::{self, Invalid},
    parts::{EndpointRefused, Parts},
    status,
};

/// What the services share.
pub(crate) struct Control {
    parts: Parts,
    pepper: Pepper,
    ids: IdDeriver,
}

/// A command that was done.
pub(crate) struct Done {
    /// The entry that did it.
    pub(crate) revision: Revision,
    /// That a narrowing is enforced.
    pub(crate) enforced: Option<Enforced>,
    /// A view that holds it.
    pub(crate) view: Arc<View>,
}

impl Control {
    pub(crate) fn new(parts: Parts) -> Self {
        let (pepper, ids) = (parts.keyring.pepper(), parts.keyring.id_deriver());
        Self { parts, pepper, ids }
    }

    /// The id of a request: the caller's, or a fresh one.
    pub(crate) fn request_id(&self, text: &str) -> Result<request::Id, Invalid> {
        if text.is_empty() {
            return Ok(random_uuid(entropy::array(&*self.parts.entropy)));
        }
        parse::request_id("request_id", text)
    }

    /// Proposes what the caller asks and waits until it is done, and enforced if it narrows.
    pub(crate) async fn propose(
        &self,
        caller: &operator::Id,
        request: request::Id,
        body: Body,
    ) -> Result<Done, Status> {
        let proposal = Proposal { request, actor: Actor::Operator(caller.clone()), body };
        let answer =
            self.parts.replica.propose(proposal).await.map_err(|failed| status::not_proposed(&failed))?;
        let revision = match answer.outcome {
            Outcome::Done { revision, .. } => revision,
            Outcome::Rejected(rejected) => return Err(status::rejected(&rejected)),
        };
        let view = self.view_from(answer.revision).await?;
        Ok(Done { revision, enforced: answer.enforced, view })
    }

    /// The state now: no answer that was given before the call is missing in it.
    pub(crate) async fn view(&self) -> Result<Arc<View>, Status> {
        self.parts.replica.view().await.map_err(|failed| status::not_read(&failed))
    }

    /// A fresh token and the hash that is stored of it.
    pub(crate) fn mint(&self, kind: TokenKind) -> (Token, TokenHash) {
        let token = token::mint(kind, &*self.parts.entropy);
        let hash = TokenHash(self.pepper.hash(&token));
        (token, hash)
    }

    /// The id of the grant that a request makes, the same when it is repeated.
    pub(crate) fn grant_id(&self, request: request::Id) -> grant::Id {
        grant::Id(self.ids.derive("grant", &request.0))
    }

    /// The wall clock, for expiry.
    pub(crate) fn now(&self) -> Wall {
        Wall(self.parts.clock.wall_millis())
    }

    pub(crate) fn check_endpoint(&self, endpoint: &Endpoint) -> Result<(), EndpointRefused> {
        self.parts.check_endpoint.check_endpoint(endpoint)
    }

    pub(crate) fn keyring(&self) -> &Keyring {
        &self.parts.keyring
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.parts
    }

    /// A view of at least `revision`. The published one nearly always is, because an answer comes after its view; then
    /// a change that was made is not reported as failed because a quorum was lost right after it.
    async fn view_from(&self, revision: Revision) -> Result<Arc<View>, Status> {
        match self.parts.gate.view().filter(|view| view.revision() >= revision) {
            Some(view) => Ok(view),
            None => self.view().await,
        }
    }
}

/// A random UUID (RFC 9562, section 5.4): version and variant in their places.
fn random_uuid(mut bytes: [u8; 16]) -> request::Id {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    request::Id(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_request_id_is_a_version_4_uuid() {
        assert_eq!(random_uuid([0xff; 16]).to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(random_uuid([0; 16]).to_string(), "00000000-0000-4000-8000-000000000000");
    }
}

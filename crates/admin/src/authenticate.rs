//! Who calls the admin API: an operator, by the token in `authorization: Bearer pcla_…`.
//!
//! The form and the checksum of the token are checked before anything is hashed (FAULTS E03), its kind before anything
//! is looked up, and so is how many wrong ones were tried (E04). A grant token opens nothing here, and nothing says whether it would open something elsewhere. What the
//! caller may do is not decided here; see `roles`.

use std::{sync::Arc, time::Duration};

use authority::{
    View,
    enforcement::Gate,
    grant::TokenHash,
    operator::{self, Role},
};
use http::{HeaderMap, header::AUTHORIZATION};
use keyring::{
    pepper::Pepper,
    token::{self, TokenKind, TokenRefused},
};

use crate::{
    attempts::{Attempts, TooMany},
    network::Network,
    parts::Parts,
};

const SCHEME: &[u8] = b"Bearer ";

/// An operator that proved to be one.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Who it is.
    pub(crate) id: operator::Id,
    /// What it may do.
    pub(crate) role: Role,
    token: TokenHash,
}

/// Recognises operators by their tokens.
pub(crate) struct Authenticator {
    gate: Arc<Gate>,
    pepper: Pepper,
    attempts: Attempts,
}

/// Why a request comes from nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// There is no token.
    #[error("this API wants an operator token: send `authorization: Bearer pcla_…`")]
    NoToken,
    /// There are several tokens, so it is not clear who calls.
    #[error("the request carries several authorization headers: send exactly one")]
    SeveralTokens,
    /// The header has another scheme.
    #[error("the authorization header is not `Bearer` and an operator token")]
    NotBearer,
    /// It is no token at all.
    #[error("the operator token is not usable: {0}")]
    Malformed(#[source] TokenRefused),
    /// It is a token for something else.
    #[error("this is not an operator token: the admin API wants one that begins with `pcla_`")]
    AnotherKind,
    /// Nobody has this token, or not any more.
    #[error("nobody holds this operator token: an owner can print a new one")]
    Unknown,
    /// Too many tokens were tried that nobody has.
    #[error("too many wrong operator tokens were tried: wait {} seconds and try again", wait.as_secs() + 1)]
    TooMany {
        /// How long until the next one may be tried.
        wait: Duration,
    },
    /// The node does not know its operators yet.
    #[error("this node has not loaded its state yet: try again in a moment")]
    NoView,
}

impl Authenticator {
    pub(crate) fn new(parts: &Parts) -> Self {
        let attempts = Attempts::new(Arc::clone(&parts.clock));
        Self { gate: Arc::clone(&parts.gate), pepper: parts.keyring.pepper(), attempts }
    }

    /// The operator whose token the headers carry, which came from `network` if they came by a socket.
    pub(crate) fn authenticate(
        &self,
        headers: &HeaderMap,
        network: Option<Network>,
    ) -> Result<Caller, Refused> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let value = values.next().ok_or(Refused::NoToken)?;
        if values.next().is_some() {
            return Err(Refused::SeveralTokens);
        }
        let written = bearer(value.as_bytes())?;
        let token = token::parse(written).map_err(Refused::Malformed)?;
        match token.kind() {
            TokenKind::Operator => {}
            TokenKind::Grant | TokenKind::Join => return Err(Refused::AnotherKind),
        }
        let view = self.view()?;
        self.attempts.admit(network, written).map_err(|TooMany { wait }| Refused::TooMany { wait })?;
        let hash = TokenHash(self.pepper.hash(&token));
        let Some(operator) = view.operator_of_token(&hash) else {
            self.attempts.failed(network, written);
            return Err(Refused::Unknown);
        };
        self.attempts.succeeded(written);
        Ok(Caller { id: operator.id.clone(), role: operator.role, token: hash })
    }

    /// Whether the caller is still what it proved to be, for streams that outlive their first answer.
    pub(crate) fn still_holds(&self, caller: &Caller) -> Result<(), Refused> {
        let view = self.view()?;
        let operator = view.operator(&caller.id);
        match operator.filter(|now| now.token == caller.token && now.role == caller.role) {
            Some(_) => Ok(()),
            None => Err(Refused::Unknown),
        }
    }

    fn view(&self) -> Result<Arc<View>, Refused> {
        self.gate.view().ok_or(Refused::NoView)
    }
}

impl Caller {
    /// The caller of a request that came through the guard, and what it asks. A request that did not has no caller.
    pub(crate) fn of<T>(request: tonic::Request<T>) -> Result<(Self, T), Refused> {
        let (_, mut extensions, message) = request.into_parts();
        let caller = extensions.remove::<Self>().ok_or(Refused::NoToken)?;
        Ok((caller, message))
    }
}

/// What stands after the scheme, whose name has no case (RFC 9110, section 11.1).
fn bearer(value: &[u8]) -> Result<&[u8], Refused> {
    let (scheme, token) = value.split_at_checked(SCHEME.len()).ok_or(Refused::NotBearer)?;
    if scheme.eq_ignore_ascii_case(SCHEME) { Ok(token) } else { Err(Refused::NotBearer) }
}

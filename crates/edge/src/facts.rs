//! Who calls what, for the record: the facts that an intent and a denial share, each cut to a bound.
//!
//! Nothing here can hold a secret: arguments appear as their keys and a keyed digest, the grant and the credential by
//! id. What a client says of itself is recorded as what it says, and no decision rests on it.

use std::net::IpAddr;

use authority::{
    View,
    event::Revision,
    record::{CallFacts, Client},
    server,
    time::Boot,
};

use crate::{
    authenticate::Claim,
    request::{Asked, Part},
    session::Session,
};

/// Bytes of a client's name and of its version.
const MAX_CLIENT_BYTES: usize = 128;

/// Bytes of a target: most URIs fit, and a longer one is known by its beginning.
const MAX_TARGET_BYTES: usize = 1024;

/// Argument keys, and bytes of one: schemas seldom have more than twenty.
const MAX_ARGUMENT_KEYS: usize = 64;
const MAX_ARGUMENT_KEY_BYTES: usize = 128;

/// Who sent a request, and where to.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The grant it claims.
    pub(crate) claim: Claim,
    /// The server it asks for.
    pub(crate) server: server::Id,
    /// The address of the peer.
    pub(crate) peer: IpAddr,
    /// Its `User-Agent`, for clients that name themselves nowhere else.
    pub(crate) user_agent: Option<String>,
    /// The session it continues.
    pub(crate) session: Option<Session>,
}

/// The facts of one message, as `view` knows them. `None` if the view does not know the grant, which cannot be for a
/// grant that was looked up in an earlier view, since ids are never forgotten.
pub(crate) fn of_part(
    view: &View,
    caller: &Caller,
    asked: &Asked,
    part: &Part,
    decided: (Revision, Boot),
) -> Option<CallFacts> {
    let grant = view.grant(&caller.claim.grant)?;
    let principal = view.principal(&grant.principal)?;
    let keys = part.argument_keys.iter().take(MAX_ARGUMENT_KEYS);
    Some(CallFacts {
        revision: decided.0,
        grants: view.path(grant.id).map(|grant| grant.id).collect(),
        principal: principal.id.clone(),
        owner: principal.owner().cloned(),
        client: client(caller, asked, part),
        peer: caller.peer.to_string(),
        server: caller.server.clone(),
        mcp_revision: asked.revision.as_str().to_owned(),
        method: part.method.clone(),
        target: part.target.as_deref().map(|target| cut(target, MAX_TARGET_BYTES)),
        argument_keys: keys.map(|key| cut(key, MAX_ARGUMENT_KEY_BYTES)).collect(),
        arguments_digest: part.arguments_digest,
        trace: part.trace.clone(),
        decided_at: decided.1,
    })
}

fn client(caller: &Caller, asked: &Asked, part: &Part) -> Option<Client> {
    let named = asked.client_of(part, caller.session.as_ref());
    let client = named.or_else(|| caller.user_agent.as_deref().map(of_user_agent))?;
    Some(Client {
        name: cut(&client.name, MAX_CLIENT_BYTES),
        version: cut(&client.version, MAX_CLIENT_BYTES),
    })
}

/// The first product of a `User-Agent` (RFC 9110, section 10.1.5).
fn of_user_agent(agent: &str) -> Client {
    let product = agent.split(' ').next().unwrap_or_default();
    let (name, version) = product.split_once('/').unwrap_or((product, ""));
    Client { name: name.to_owned(), version: version.to_owned() }
}

fn cut(text: &str, bytes: usize) -> String {
    text[..text.floor_char_boundary(bytes)].to_owned()
}

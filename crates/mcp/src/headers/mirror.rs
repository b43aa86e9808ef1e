//! The protocol's headers for the upstream, made from the body that was authorised and from nothing else.
//!
//! `Mcp-Param-*` are not made here: they are forwarded as they came, once [`super::params`] has looked at them,
//! because which argument each mirrors is known only to client and server.

use std::borrow::Cow;

use super::{METHOD, NAME, PROTOCOL_VERSION, value};
use crate::method::Call;
use crate::revision::{Era, Revision};

/// The headers of a call under `revision`: name in lower case and value, ready to be sent.
///
/// The version header is left out for `initialize`, which is what agrees on a version, and for 2025-03-26, which
/// does not have it. Legacy calls have no other mirror.
pub fn of_call<'c>(
    call: &'c Call<'_>,
    revision: Revision,
) -> impl Iterator<Item = (&'static str, Cow<'c, str>)> {
    let versioned = revision >= Revision::V2025_06_18 && call.method != "initialize";
    let version = versioned.then(|| (PROTOCOL_VERSION, Cow::Borrowed(revision.as_str())));
    let modern = revision.era() == Era::Modern;
    let method = modern.then(|| (METHOD, value::encode(&call.method)));
    let name = call.mirrored_name().filter(|_| modern).map(|name| (NAME, value::encode(name)));
    [version, method, name].into_iter().flatten()
}

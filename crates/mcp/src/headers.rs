//! The protocol's request headers: picked out of a request, held against its body, and made anew for the upstream.
//!
//! The body is the source of truth. A modern request mirrors parts of it in headers so that boxes on the way can
//! route without reading JSON, and each such box is one more reader that could be told another story. So a header
//! that disagrees with the body is refused with -32020 (C09), two headers of one name are refused because readers
//! differ in which they take, and nothing a client sent in a mirror header is passed on: [`mirror`] makes the
//! upstream's from the body that was authorised.
//!
//! In the legacy era the headers were never specified; they may be absent, but a present one must still be true.
//!
//! `Mcp-Param-*` mirror single arguments. Which header mirrors which argument is written in the tool's input schema,
//! which this crate does not hold; what can be checked without it is checked ([`params`]), and then they are forwarded
//! as they came.

use std::borrow::Cow;

use crate::limits::{MAX_HEADER_VALUE_BYTES, MAX_PARAM_HEADERS};
use crate::message::Message;
use crate::method::Call;
use crate::revision::{Era, Revision, UnsupportedRevision};

pub mod mirror;
pub mod params;
pub mod value;

/// Header that names the revision.
pub const PROTOCOL_VERSION: &str = "mcp-protocol-version";
/// Header that mirrors the method.
pub const METHOD: &str = "mcp-method";
/// Header that mirrors the tool, the prompt or the resource.
pub const NAME: &str = "mcp-name";
/// Header that names a legacy session.
pub const SESSION_ID: &str = "mcp-session-id";
/// Header that names the last event a client has seen of a stream it resumes.
pub const LAST_EVENT_ID: &str = "last-event-id";
/// Beginning of the headers that mirror arguments.
pub const PARAM_PREFIX: &str = "mcp-param-";

/// The protocol's headers of one request, each at most once. Values are bytes as they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestHeaders<'h> {
    /// [`PROTOCOL_VERSION`].
    pub protocol_version: Option<&'h [u8]>,
    /// [`METHOD`].
    pub method: Option<&'h [u8]>,
    /// [`NAME`].
    pub name: Option<&'h [u8]>,
    /// [`SESSION_ID`].
    pub session_id: Option<&'h [u8]>,
    /// [`LAST_EVENT_ID`].
    pub last_event_id: Option<&'h [u8]>,
    /// The headers that begin with [`PARAM_PREFIX`]: the rest of the name, and the value.
    pub params: Vec<(&'h str, &'h [u8])>,
}

/// Headers that cannot be believed. All of them are answered with HTTP 400. No variant repeats a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// The same header twice: readers differ in which one counts.
    #[error("header {name} is there twice, send it once")]
    Repeated {
        /// The header, in lower case.
        name: String,
    },
    /// A value beyond [`MAX_HEADER_VALUE_BYTES`].
    #[error("header {name} is longer than {MAX_HEADER_VALUE_BYTES} bytes")]
    TooLong {
        /// The header, in lower case.
        name: String,
    },
    /// More than [`MAX_PARAM_HEADERS`].
    #[error("there are more than {MAX_PARAM_HEADERS} mcp-param headers")]
    TooManyParams,
    /// A required header is not there.
    #[error("header {name} is missing")]
    Missing {
        /// The header.
        name: &'static str,
    },
    /// A value with bytes that no header may have, or a base64 form that does not decode to text.
    #[error("header {name} is neither visible ASCII nor valid =?base64?…?=")]
    Undecodable {
        /// The header, in lower case.
        name: String,
    },
    /// The header says one thing and the body another.
    #[error("header {name} does not match the body")]
    Mismatch {
        /// The header, in lower case.
        name: String,
    },
    /// A modern request without a member of `_meta` that the revision requires.
    #[error("`params._meta` must hold {member}")]
    MetaMissing {
        /// The key in `_meta`.
        member: &'static str,
    },
    /// A revision that is not served.
    #[error(transparent)]
    Unsupported(#[from] UnsupportedRevision),
}

impl<'h> RequestHeaders<'h> {
    /// Picks the protocol's headers out of all of a request's. Names are compared without case.
    ///
    /// # Errors
    /// When one of them is there twice or is too long, or there are too many of [`PARAM_PREFIX`].
    pub fn collect<I>(headers: I) -> Result<Self, HeaderFault>
    where
        I: IntoIterator<Item = (&'h str, &'h [u8])>,
    {
        let mut found = RequestHeaders::default();
        for (name, value) in headers {
            let Some(slot) = found.slot(name) else {
                found.param(name, value)?;
                continue;
            };
            if slot.replace(value).is_some() {
                return Err(HeaderFault::Repeated { name: name.to_ascii_lowercase() });
            }
            bounded(name, value)?;
        }
        Ok(found)
    }

    /// Where the value of the header `name` belongs, if it is one of those that may stand once.
    fn slot(&mut self, name: &str) -> Option<&mut Option<&'h [u8]>> {
        let slots = [
            (PROTOCOL_VERSION, &mut self.protocol_version),
            (METHOD, &mut self.method),
            (NAME, &mut self.name),
            (SESSION_ID, &mut self.session_id),
            (LAST_EVENT_ID, &mut self.last_event_id),
        ];
        slots.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, slot)| slot)
    }

    fn param(&mut self, name: &'h str, value: &'h [u8]) -> Result<(), HeaderFault> {
        let Some((prefix, rest)) = name.split_at_checked(PARAM_PREFIX.len()) else { return Ok(()) };
        if !prefix.eq_ignore_ascii_case(PARAM_PREFIX) {
            return Ok(());
        }
        if self.params.iter().any(|(other, _)| other.eq_ignore_ascii_case(rest)) {
            return Err(HeaderFault::Repeated { name: name.to_ascii_lowercase() });
        }
        if self.params.len() == MAX_PARAM_HEADERS {
            return Err(HeaderFault::TooManyParams);
        }
        bounded(name, value)?;
        self.params.push((rest, value));
        Ok(())
    }

    /// The revision the request is judged by.
    ///
    /// # Errors
    /// When the header names one that is not served.
    pub fn revision(&self) -> Result<Revision, UnsupportedRevision> {
        Revision::of_header(self.protocol_version)
    }

    /// Whether headers and body tell the same story under `revision`, which [`RequestHeaders::revision`] gave.
    /// Each message of a batch is held against the headers by itself.
    ///
    /// # Errors
    /// The first disagreement.
    pub fn agree_with(&self, message: &Message<'_>, revision: Revision) -> Result<(), HeaderFault> {
        for message in message.each() {
            if let Some(call) = message.call() {
                let answered = message.request_id().is_some();
                self.version_agrees(call, revision, answered)?;
                let required = revision.era() == Era::Modern && answered;
                mirrors(METHOD, self.method, Some(&call.method), required)?;
                mirrors(NAME, self.name, call.mirrored_name(), required)?;
                params::agree(&self.params, call)?;
            }
        }
        Ok(())
    }

    /// The header and `_meta` must name the same revision as soon as one of them is modern (C09, E37): otherwise a
    /// box that reads the header and a server that reads the body would apply different rules to one request.
    fn version_agrees(&self, call: &Call<'_>, revision: Revision, answered: bool) -> Result<(), HeaderFault> {
        let meta = call.params.as_ref().map(|params| &params.meta);
        match (self.protocol_version, meta.and_then(|meta| meta.protocol_version.as_deref())) {
            (Some(header), Some(body)) if header != body.as_bytes() => {
                Err(HeaderFault::Mismatch { name: PROTOCOL_VERSION.to_owned() })
            }
            (None, Some(_)) => Err(HeaderFault::Missing { name: PROTOCOL_VERSION }),
            _ if revision.era() == Era::Legacy || !answered => Ok(()),
            (_, None) => Err(HeaderFault::MetaMissing { member: crate::params::META_PROTOCOL_VERSION }),
            _ if !meta.is_some_and(|meta| meta.has_client_capabilities) => {
                Err(HeaderFault::MetaMissing { member: crate::params::META_CLIENT_CAPABILITIES })
            }
            _ => Ok(()),
        }
    }
}

/// Holds a mirror header against what the body says. A header without a counterpart in the body is a mismatch: there
/// is nothing it could truthfully mirror.
fn mirrors(
    name: &'static str,
    header: Option<&[u8]>,
    body: Option<&str>,
    required: bool,
) -> Result<(), HeaderFault> {
    let Some(header) = header else {
        let missing = required && body.is_some();
        return if missing { Err(HeaderFault::Missing { name }) } else { Ok(()) };
    };
    let said: Cow<'_, str> =
        value::decode(header).ok_or_else(|| HeaderFault::Undecodable { name: name.to_owned() })?;
    if body == Some(&*said) { Ok(()) } else { Err(HeaderFault::Mismatch { name: name.to_owned() }) }
}

fn bounded(name: &str, value: &[u8]) -> Result<(), HeaderFault> {
    if value.len() <= MAX_HEADER_VALUE_BYTES {
        return Ok(());
    }
    Err(HeaderFault::TooLong { name: name.to_ascii_lowercase() })
}

#[cfg(test)]
mod tests;

//! Checks of single fields, shared by the conversions.

use authority::{
    command::Body,
    grant::{self, TokenHash},
    name::{Name, NotAName},
    request,
};

use crate::malformed::{Flaw, Malformed};

/// A field that has to be there.
pub(crate) fn required<T>(what: &'static str, field: Option<T>) -> Result<T, Malformed> {
    field.ok_or(Flaw::Absent.of(what))
}

/// Bytes of a fixed length.
pub(crate) fn array<const N: usize>(what: &'static str, bytes: &[u8]) -> Result<[u8; N], Malformed> {
    bytes.try_into().map_err(|_| Flaw::Length { bytes: bytes.len(), wanted: N }.of(what))
}

/// A name, or an id that is one: `parse` says which.
pub(crate) fn name<T>(
    what: &'static str,
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, NotAName>,
) -> Result<T, Malformed> {
    parse(text).map_err(|error| Flaw::Name(error).of(what))
}

/// The id of a cluster.
pub(crate) fn cluster(what: &'static str, text: &str) -> Result<Name, Malformed> {
    name(what, text, Name::parse)
}

/// The id of a grant.
pub(crate) fn grant(what: &'static str, bytes: &[u8]) -> Result<grant::Id, Malformed> {
    array(what, bytes).map(grant::Id)
}

/// The hash of a token.
pub(crate) fn token(what: &'static str, bytes: &[u8]) -> Result<TokenHash, Malformed> {
    array(what, bytes).map(TokenHash)
}

/// The id of a request.
pub(crate) fn request(what: &'static str, bytes: &[u8]) -> Result<request::Id, Malformed> {
    array(what, bytes).map(request::Id)
}

/// The stable name of a kind of command.
pub(crate) fn command(what: &'static str, text: &str) -> Result<&'static str, Malformed> {
    Body::NAMES.into_iter().find(|name| *name == text).ok_or(Flaw::UnknownCommand.of(what))
}

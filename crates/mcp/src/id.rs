//! The id of a request: the one value that ties an answer to its question (FAULTS C08).
//!
//! JSON-RPC lets an id be a string, any number or null. Here it is a string or an integer that a double holds, never
//! null and never 1.0, so that no two ids are one id to some library and answers cannot be crossed. `1` and `"1"` are
//! different ids.

use std::borrow::Cow;
use std::fmt;

use crate::limits::MAX_ID_BYTES;
use crate::reply;
use crate::strict::{Kind, Reason, Refusal, Scanner};

/// The largest magnitude of an integer id: 2^53, up to which every parser counts alike.
const MAX_MAGNITUDE: u64 = 1 << 53;

/// A request's id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Id<'a> {
    /// An integer, at most 2^53 in magnitude.
    Number(i64),
    /// A string, at most [`MAX_ID_BYTES`] long.
    String(Cow<'a, str>),
}

impl<'a> Id<'a> {
    /// Reads the id at which the scanner stands.
    pub(crate) fn read(scanner: &mut Scanner<'a>) -> Result<Self, Refusal> {
        match scanner.peek()? {
            Kind::String => {
                let span = scanner.string()?;
                let text = scanner.decode(span).ok_or(Reason::LoneSurrogate.at(span.start))?;
                if text.len() > MAX_ID_BYTES {
                    return Err(Reason::TooLong { member: "id" }.at(span.start));
                }
                Ok(Id::String(text))
            }
            Kind::Number => {
                let token = scanner.skip()?;
                let start = scanner.position() - token.len();
                integer(token).map(Id::Number).ok_or(Reason::BadId.at(start))
            }
            Kind::Object | Kind::Array | Kind::Bool | Kind::Null => {
                let value = scanner.skip()?;
                Err(Reason::BadId.at(scanner.position() - value.len()))
            }
        }
    }

    /// The same id, owning its text, for a call that outlives its body.
    #[must_use]
    pub fn into_owned(self) -> Id<'static> {
        match self {
            Id::Number(number) => Id::Number(number),
            Id::String(text) => Id::String(Cow::Owned(text.into_owned())),
        }
    }

    /// Appends the id as JSON.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Id::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Id::String(text) => reply::write_string(out, text),
        }
    }
}

/// For logs: the id as JSON.
impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut json = Vec::new();
        self.write_json(&mut json);
        f.write_str(&String::from_utf8_lossy(&json))
    }
}

fn integer(token: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(token).ok()?;
    // `-0` is refused by the rules for requests, and must not become 0 under the rules for answers.
    let number: i64 = if text == "-0" { return None } else { text.parse().ok()? };
    (number.unsigned_abs() <= MAX_MAGNITUDE).then_some(number)
}

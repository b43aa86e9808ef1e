//! `Mcp-Param-*`: what can be said about them without the tool's input schema (FAULTS C10).
//!
//! A tool may ask that an argument be mirrored in a header of its choosing. The mapping from header to argument is
//! part of the schema, which the upstream checks. Without it one thing still holds of every truthful header: its
//! value is the value of *some* argument, reached through objects only (the specification allows no mirrored
//! argument inside an array). A header for which no such argument exists lies whatever the mapping is, and the
//! request is refused. Numbers are compared as numbers, so 42 mirrors 42.0.

use std::borrow::Cow;

use super::{HeaderFault, PARAM_PREFIX, value};
use crate::limits::Limits;
use crate::method::Call;
use crate::strict::number;
use crate::strict::{Kind, Refusal, Rules, Scanner, Zone};

/// A header whose argument has not been found yet.
struct Claim<'h> {
    name: &'h str,
    text: Cow<'h, str>,
    number: Option<f64>,
}

/// Checks the names and values of the headers, and for a `tools/call` that each mirrors an argument.
pub(super) fn agree(headers: &[(&str, &[u8])], call: &Call<'_>) -> Result<(), HeaderFault> {
    let mut claims = Vec::new();
    for &(name, header) in headers {
        let text = value::decode(header).filter(|_| is_token(name));
        let text = text.ok_or_else(|| HeaderFault::Undecodable { name: header_name(name) })?;
        let number = as_number(&text);
        claims.push(Claim { name, text, number });
    }
    if claims.is_empty() || call.method != "tools/call" {
        return Ok(());
    }
    let arguments = call.params.as_ref().and_then(|params| params.arguments.as_ref());
    if let Some(arguments) = arguments {
        // The body was read under the rules for requests a moment ago, so this cannot fail; if it did, the claims
        // that are still open are refused below.
        let limits = Limits { bytes: arguments.raw.len(), ..Limits::REQUEST };
        if let Ok(mut scanner) = Scanner::new(arguments.raw, Rules::request(limits)) {
            let walked = settle(&mut scanner, &mut claims);
            debug_assert!(walked.is_ok(), "arguments that were read once are read again");
        }
    }
    match claims.first() {
        Some(open) => Err(HeaderFault::Mismatch { name: header_name(open.name) }),
        None => Ok(()),
    }
}

/// Walks the objects of the arguments and strikes out each claim that one of the values bears out.
fn settle(scanner: &mut Scanner<'_>, claims: &mut Vec<Claim<'_>>) -> Result<(), Refusal> {
    match scanner.peek()? {
        Kind::Object => {
            return scanner.object(Zone::Free, |scanner, _| settle(scanner, claims));
        }
        Kind::String => {
            let span = scanner.string()?;
            let text = scanner.decode(span);
            claims.retain(|claim| Some(&claim.text) != text.as_ref());
        }
        Kind::Number => {
            let token = scanner.skip()?;
            let number = std::str::from_utf8(token).ok().and_then(|token| token.parse::<f64>().ok());
            claims.retain(|claim| claim.number.is_none() || claim.number != number);
        }
        Kind::Bool => {
            let token = scanner.skip()?;
            claims.retain(|claim| claim.text.as_bytes() != token);
        }
        Kind::Array | Kind::Null => drop(scanner.skip()?),
    }
    Ok(())
}

/// The value of a header that is written as a JSON number with one reading.
fn as_number(text: &str) -> Option<f64> {
    let is_number = number::end(text.as_bytes(), 0) == Ok(text.len()) && number::one_reading(text).is_ok();
    if is_number { text.parse().ok() } else { None }
}

/// Whether `name` can be part of a header's name (RFC 9110, 5.6.2).
fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

fn header_name(rest: &str) -> String {
    format!("{PARAM_PREFIX}{}", rest.to_ascii_lowercase())
}

//! Errors of an upstream, read and made anew where one cannot be passed on as it came.
//!
//! An error may carry anything in `data`, and some servers put a list of what they have there, or an id of their own
//! beside it. So where an answer could hold a list, and where the id is not the request's, the client gets the code and
//! the message under its own id and nothing else. What must stay true: nothing that is made here holds a byte of `data`.

use std::borrow::Cow;

use mcp::{
    id::Id,
    limits::Limits,
    reply,
    strict::{Kind, Rules, Scanner, Zone},
};

/// An error object (JSON-RPC 2.0, section 5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UpstreamError<'a> {
    /// The number of the error.
    pub(crate) code: i32,
    /// What it says to people.
    pub(crate) message: Cow<'a, str>,
    /// What else it carries, as JSON.
    pub(crate) data: Option<&'a [u8]>,
}

/// The error with the bytes `error`, if it is one and has one reading.
pub(crate) fn read(error: &[u8]) -> Option<UpstreamError<'_>> {
    let (mut code, mut message, mut data) = (None, None, None);
    let mut scanner = Scanner::new(error, Rules::answer(Limits::RESPONSE)).ok()?;
    let read = scanner.object(Zone::Protocol, |scanner, key| {
        match &*key {
            "code" => code = std::str::from_utf8(scanner.skip()?).ok().and_then(|code| code.parse().ok()),
            "message" if scanner.peek()? == Kind::String => {
                let span = scanner.string()?;
                message = scanner.decode(span);
            }
            "data" => data = Some(scanner.skip()?),
            _ => drop(scanner.skip()?),
        }
        Ok(())
    });
    read.ok()?;
    Some(UpstreamError { code: code?, message: message?, data })
}

/// A response to `id` with the code and the message of `error`, if that is one.
pub(crate) fn anew(id: Option<&Id<'_>>, error: &[u8]) -> Option<Vec<u8>> {
    let error = read(error)?;
    Some(reply::error(id, error.code, &error.message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_made_anew_without_its_data() {
        let error = br#"{"message":"no","data":{"tools":[{"name":"x"}]},"code":-3,"tools":[]}"#;
        let anew = anew(Some(&Id::Number(1)), error).expect("it is an error");
        assert_eq!(anew, br#"{"jsonrpc":"2.0","id":1,"error":{"code":-3,"message":"no"}}"#);
    }

    #[test]
    fn what_is_no_error_is_none() {
        for error in [
            r#"{"code":-3}"#,
            r#"{"message":"no"}"#,
            r#"{"code":"-3","message":"no"}"#,
            r#"{"code":-3,"message":["no"]}"#,
            r#"{"code":-3,"code":-4,"message":"no"}"#,
            "[]",
        ] {
            assert_eq!(read(error.as_bytes()), None, "{error}");
        }
    }
}

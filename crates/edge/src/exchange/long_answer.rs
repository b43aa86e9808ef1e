//! The envelope of an answer that is too long to be read whole: looked at piece by piece, while it goes on.
//!
//! It follows strings and brackets and understands only the members of the outermost object, which is all it takes to
//! know whose response this is. It is no validator of JSON: what lies within the members is the upstream's word to its
//! client, and a client that finds it broken fails for itself. What must stay true: the bytes that close the outermost
//! object never go on unless it is one response to the request, so no client takes another's answer for its own.

use mcp::{
    id::Id,
    limits::{Limits, MAX_ID_BYTES},
    message::{self, Message},
};

/// Bytes of a key or an id that are kept: an id of the longest with each of its bytes escaped.
const MAX_KEPT_BYTES: usize = 6 * MAX_ID_BYTES + 2;

/// The envelope of one answer, as far as it was seen.
#[derive(Debug)]
pub(crate) struct LongAnswer<'asked> {
    id: &'asked Id<'static>,
    at: At,
    /// Brackets that are open.
    depth: usize,
    string: Text,
    /// The bytes of the key, or of the id, that is being read.
    kept: Vec<u8>,
    keeps: bool,
    has_id: bool,
    has_outcome: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Start,
    /// Before a key, or before the end of an empty object.
    Key,
    /// Behind a key.
    Colon,
    /// In the value of a member.
    Value,
    End,
}

/// Whether the next byte stands in a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    Outside,
    Inside,
    Escaped,
}

/// The answer is not one response to the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotTheResponse;

impl<'asked> LongAnswer<'asked> {
    /// The envelope of an answer to the request `id`.
    pub(crate) fn to(id: &'asked Id<'static>) -> Self {
        Self {
            id,
            at: At::Start,
            depth: 0,
            string: Text::Outside,
            kept: Vec::new(),
            keeps: false,
            has_id: false,
            has_outcome: false,
        }
    }

    /// Looks at the next piece, which must not go on if this fails.
    pub(crate) fn take(&mut self, piece: &[u8]) -> Result<(), NotTheResponse> {
        let mut rest = piece;
        while let Some((byte, behind)) = rest.split_first() {
            self.byte(*byte)?;
            rest = if self.string == Text::Inside && !self.keeps { past_text(behind) } else { behind };
        }
        Ok(())
    }

    /// Whether the response has ended.
    pub(crate) fn is_complete(&self) -> bool {
        self.at == At::End
    }

    fn byte(&mut self, byte: u8) -> Result<(), NotTheResponse> {
        if self.string != Text::Outside {
            return self.in_string(byte);
        }
        match (self.at, byte) {
            (At::Value, b'"') => {
                self.string = Text::Inside;
                self.keep(byte)
            }
            (At::Value, b',' | b'}') if self.depth == 1 => self.value_ends(byte),
            (At::Value, _) => {
                match byte {
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' => self.depth -= 1,
                    _ => {}
                }
                if self.depth == 0 { Err(NotTheResponse) } else { self.keep(byte) }
            }
            (_, b' ' | b'\t' | b'\r' | b'\n') => Ok(()),
            (At::Start, b'{') => {
                (self.at, self.depth) = (At::Key, 1);
                Ok(())
            }
            (At::Key, b'"') => {
                (self.string, self.keeps) = (Text::Inside, true);
                Ok(())
            }
            (At::Colon, b':') => {
                self.at = At::Value;
                Ok(())
            }
            _ => Err(NotTheResponse),
        }
    }

    fn in_string(&mut self, byte: u8) -> Result<(), NotTheResponse> {
        self.string = match (self.string, byte) {
            (Text::Inside, b'\\') => Text::Escaped,
            (Text::Inside, b'"') => Text::Outside,
            _ => Text::Inside,
        };
        match (self.at, self.string) {
            (At::Key, Text::Outside) => self.key_ends(),
            // An escaped key could be one that matters, and no server writes one.
            (At::Key, Text::Escaped) => Err(NotTheResponse),
            _ => self.keep(byte),
        }
    }

    fn keep(&mut self, byte: u8) -> Result<(), NotTheResponse> {
        if !self.keeps {
            return Ok(());
        }
        self.kept.push(byte);
        if self.kept.len() > MAX_KEPT_BYTES { Err(NotTheResponse) } else { Ok(()) }
    }

    fn key_ends(&mut self) -> Result<(), NotTheResponse> {
        let key = std::mem::take(&mut self.kept);
        let again = match &*key {
            b"id" => std::mem::replace(&mut self.has_id, true),
            b"result" | b"error" => std::mem::replace(&mut self.has_outcome, true),
            b"method" | b"params" => true,
            _ => false,
        };
        self.keeps = key == b"id";
        self.at = At::Colon;
        if again { Err(NotTheResponse) } else { Ok(()) }
    }

    fn value_ends(&mut self, byte: u8) -> Result<(), NotTheResponse> {
        let kept = std::mem::take(&mut self.kept);
        if std::mem::take(&mut self.keeps) && !self.is_own(&kept) {
            return Err(NotTheResponse);
        }
        match byte {
            b',' => self.at = At::Key,
            _ if self.has_id && self.has_outcome => (self.at, self.depth) = (At::End, 0),
            _ => return Err(NotTheResponse),
        }
        Ok(())
    }

    /// Whether `id`, as JSON, is the request's. It is read as the id of a response, so that there is one reading of ids.
    fn is_own(&self, id: &[u8]) -> bool {
        let response = [br#"{"jsonrpc":"2.0","result":0,"id":"#, id, b"}"].concat();
        match message::read_answer(&response, Limits::RESPONSE) {
            Ok(Message::Response(response)) => response.id.as_ref() == Some(self.id),
            Ok(_) | Err(_) => false,
        }
    }
}

/// What is left of the inside of a string from the first byte on that could end it.
fn past_text(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\'));
    &bytes[end.unwrap_or(bytes.len())..]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether `answer` is the response to `id`, in pieces of any size.
    fn is_response(id: &Id<'static>, answer: &str) -> bool {
        let verdicts: Vec<_> = [1, 2, 7, answer.len()]
            .into_iter()
            .map(|size| {
                let mut long = LongAnswer::to(id);
                let taken = answer.as_bytes().chunks(size).all(|piece| long.take(piece).is_ok());
                taken && long.is_complete()
            })
            .collect();
        assert!(verdicts.iter().all(|verdict| *verdict == verdicts[0]), "{answer}: {verdicts:?}");
        verdicts[0]
    }

    #[test]
    fn d06_the_response_is_known_wherever_its_id_stands() {
        for answer in [
            r#"{"jsonrpc":"2.0","id":7,"result":{"id":8,"a":["}",{"b":"\"]"}]}}"#,
            "{\"result\" : [{\"id\":8}] , \"x\":\"\\\\\", \"jsonrpc\":\"2.0\" ,\"id\" :\n7 }\r\n",
            r#"{"id":7,"error":{"code":1,"message":"m"}}"#,
        ] {
            assert!(is_response(&Id::Number(7), answer), "{answer}");
        }
        assert!(is_response(&Id::String("a\"b".into()), r#"{"id":"a\u0022b","result":0}"#));
    }

    #[test]
    fn d06_what_is_not_one_response_to_the_request_is_not() {
        for answer in [
            r#"{"id":8,"result":{}}"#,
            r#"{"id":"7","result":{}}"#,
            r#"{"id":null,"error":{}}"#,
            r#"{"result":{"id":7}}"#,
            r#"{"id":7}"#,
            r#"{"id":7,"id":7,"result":{}}"#,
            r#"{"id":7,"result":{},"result":{}}"#,
            r#"{"id":7,"result":{},"error":{}}"#,
            r#"{"id":7,"method":"a","result":{}}"#,
            r#"{"\u0069d":7,"result":{}}"#,
            r#"{"id":7,"result":{}"#,
            r#"{"id":7,"result":{}} {}"#,
            r#"{"id":7,"result":{}]}"#,
            r#"{"id":7,"result":]}"#,
            r#"[{"id":7,"result":{}}]"#,
            "{}",
            "text",
        ] {
            assert!(!is_response(&Id::Number(7), answer), "{answer}");
        }
    }
}

//! The pull reader: one pass over the bytes, checking everything, remembering nothing but the keys of open objects.
//!
//! A caller enters the objects and arrays it cares about with closures and skips the rest; [`Scanner::skip`] returns
//! the raw bytes of what was skipped. Either way every byte is checked once. Faults of syntax stop the scanner where
//! it stands. Faults of keys are reported when their object closes, so that a reader of lists can drop one entry and
//! go on behind it ([`Scanner::object_or_fault`]).

use std::borrow::Cow;

use super::keys::{self, Key};
use super::number;
use super::refusal::{Reason, Refusal};
use super::reserved;
use super::text::{self, Span};
use crate::limits::{Limits, MAX_FOLDED_KEY_BYTES};

/// What is asked of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    limits: Limits,
    skipped: Skipped,
}

/// What is asked of values that the caller does not enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Skipped {
    /// One reading, as everywhere.
    OneReading,
    /// JSON, no more.
    Json,
}

impl Rules {
    /// For what a client sends: one reading, down to the last value.
    #[must_use]
    pub const fn request(limits: Limits) -> Self {
        Rules { limits, skipped: Skipped::OneReading }
    }

    /// For what an upstream server answers: one reading of the objects that are entered, JSON everywhere else.
    #[must_use]
    pub const fn answer(limits: Limits) -> Self {
        Rules { limits, skipped: Skipped::Json }
    }

    /// Whether these are the rules for answers.
    #[must_use]
    pub const fn is_answer(self) -> bool {
        matches!(self.skipped, Skipped::Json)
    }
}

/// Whose keys an object holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// The protocol's: keys that merely look like its own are refused.
    Protocol,
    /// Somebody else's, such as a tool's arguments.
    Free,
}

/// The type of the value that comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `{`
    Object,
    /// `[`
    Array,
    /// `"`
    String,
    /// A digit or a minus.
    Number,
    /// `true` or `false`.
    Bool,
    /// `null`
    Null,
}

/// A reader that stands somewhere in a body. See the module's page.
#[derive(Debug)]
pub struct Scanner<'a> {
    text: &'a str,
    rules: Rules,
    at: usize,
    depth: usize,
    keys_seen: usize,
    folded_bytes: usize,
    keys: Vec<Key<'a>>,
}

impl<'a> Scanner<'a> {
    /// A scanner at the start of `body`.
    ///
    /// # Errors
    /// When the body is too large, not UTF-8 or begins with a byte order mark.
    pub fn new(body: &'a [u8], rules: Rules) -> Result<Self, Refusal> {
        let limit = rules.limits.bytes;
        if body.len() > limit {
            return Err(Reason::TooLarge { limit }.at(limit));
        }
        let text = std::str::from_utf8(body).map_err(|error| Reason::NotUtf8.at(error.valid_up_to()))?;
        if text.starts_with('\u{feff}') {
            return Err(Reason::ByteOrderMark.at(0));
        }
        Ok(Scanner { text, rules, at: 0, depth: 0, keys_seen: 0, folded_bytes: 0, keys: Vec::new() })
    }

    /// The offset reading has reached: after a value, the byte behind it.
    #[must_use]
    pub fn position(&self) -> usize {
        self.at
    }

    /// The bytes from `start`, an earlier position, up to here.
    #[must_use]
    pub fn since(&self, start: usize) -> &'a [u8] {
        &self.bytes()[start..self.at]
    }

    /// Ends reading.
    ///
    /// # Errors
    /// When anything but white space follows.
    pub fn finish(mut self) -> Result<(), Refusal> {
        match self.next_byte() {
            Ok(_) => Err(Reason::TrailingBytes.at(self.at)),
            Err(_) => Ok(()),
        }
    }

    /// The type of the next value, without reading it; white space before it is passed.
    ///
    /// # Errors
    /// When no value begins here.
    pub fn peek(&mut self) -> Result<Kind, Refusal> {
        match self.next_byte()? {
            b'{' => Ok(Kind::Object),
            b'[' => Ok(Kind::Array),
            b'"' => Ok(Kind::String),
            b'-' | b'0'..=b'9' => Ok(Kind::Number),
            b't' | b'f' => Ok(Kind::Bool),
            b'n' => Ok(Kind::Null),
            _ => Err(Reason::UnexpectedByte.at(self.at)),
        }
    }

    /// Reads an object: `member` is called with each key and must read the value.
    ///
    /// # Errors
    /// What `member` returns, and faults of syntax, keys and bounds.
    pub fn object<F>(&mut self, zone: Zone, member: F) -> Result<(), Refusal>
    where
        F: FnMut(&mut Self, Cow<'a, str>) -> Result<(), Refusal>,
    {
        match self.object_or_fault(zone, member)? {
            Some(fault) => Err(fault),
            None => Ok(()),
        }
    }

    /// Reads an object like [`Scanner::object`], but a fault of its keys is returned as a value, with the scanner
    /// behind the object. A key without one reading is handed on as it is written, which equals no known key.
    ///
    /// # Errors
    /// What `member` returns, and faults of syntax and bounds.
    pub fn object_or_fault<F>(&mut self, zone: Zone, mut member: F) -> Result<Option<Refusal>, Refusal>
    where
        F: FnMut(&mut Self, Cow<'a, str>) -> Result<(), Refusal>,
    {
        self.open(b'{')?;
        let first_key = self.keys.len();
        let mut fault = None;
        let mut more = !self.close(b'}')?;
        while more {
            let quote = self.expect(b'"')?;
            let span = self.string_at(quote)?;
            let key = match text::decode(self.text, span) {
                Ok(key) => {
                    let clash = self.remember(key.clone(), quote, zone)?;
                    fault = fault.or(clash);
                    key
                }
                Err(refusal) => {
                    fault = fault.or(Some(refusal));
                    Cow::Borrowed(&self.text[span.start..span.end])
                }
            };
            self.expect(b':')?;
            self.at += 1;
            member(self, key)?;
            more = !self.close(b'}')?;
            if more {
                self.expect(b',')?;
                self.at += 1;
            }
        }
        self.depth -= 1;
        let clash = keys::check(&mut self.keys[first_key..]).err();
        self.keys.truncate(first_key);
        Ok(clash.or(fault))
    }

    /// Reads an array: `element` is called at each element and must read it.
    ///
    /// # Errors
    /// What `element` returns, and faults of syntax and depth.
    pub fn array<F>(&mut self, mut element: F) -> Result<(), Refusal>
    where
        F: FnMut(&mut Self) -> Result<(), Refusal>,
    {
        self.open(b'[')?;
        let mut more = !self.close(b']')?;
        while more {
            element(self)?;
            more = !self.close(b']')?;
            if more {
                self.expect(b',')?;
                self.at += 1;
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads a string and returns where it lies; [`Scanner::decode`] gives its text.
    ///
    /// # Errors
    /// When no string begins here, and faults of syntax.
    pub fn string(&mut self) -> Result<Span, Refusal> {
        let quote = self.expect(b'"')?;
        self.string_at(quote)
    }

    /// The text of a string that was read.
    ///
    /// # Errors
    /// When an escape in it has no one reading.
    pub fn decode(&self, span: Span) -> Result<Cow<'a, str>, Refusal> {
        text::decode(self.text, span)
    }

    /// Passes over one value and returns its bytes, from its first to its last.
    ///
    /// # Errors
    /// Whatever the [`Rules`] find in it.
    pub fn skip(&mut self) -> Result<&'a [u8], Refusal> {
        let kind = self.peek()?;
        let start = self.at;
        match kind {
            Kind::Object if self.rules.is_answer() => self.skip_plain_object()?,
            Kind::Object => self.object(Zone::Free, |scanner, _| scanner.skip().map(drop))?,
            Kind::Array => self.array(|scanner| scanner.skip().map(drop))?,
            Kind::String => self.string_at(start).map(drop)?,
            Kind::Number => self.number()?,
            Kind::Bool if self.bytes()[start] == b't' => self.literal("true")?,
            Kind::Bool => self.literal("false")?,
            Kind::Null => self.literal("null")?,
        }
        Ok(&self.bytes()[start..self.at])
    }

    /// An object of which nothing but its syntax matters: no key is kept.
    fn skip_plain_object(&mut self) -> Result<(), Refusal> {
        self.open(b'{')?;
        let mut more = !self.close(b'}')?;
        while more {
            self.string()?;
            self.expect(b':')?;
            self.at += 1;
            self.skip()?;
            more = !self.close(b'}')?;
            if more {
                self.expect(b',')?;
                self.at += 1;
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn number(&mut self) -> Result<(), Refusal> {
        let start = self.at;
        self.at = number::end(self.bytes(), start)?;
        if self.rules.is_answer() {
            return Ok(());
        }
        number::one_reading(&self.text[start..self.at]).map_err(|reason| reason.at(start))
    }

    fn literal(&mut self, word: &str) -> Result<(), Refusal> {
        let rest = &self.bytes()[self.at..];
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(());
        }
        let same = rest.iter().zip(word.as_bytes()).take_while(|(got, wanted)| got == wanted).count();
        let reason = if same == rest.len() { Reason::UnexpectedEnd } else { Reason::UnexpectedByte };
        Err(reason.at(self.at + same))
    }

    /// Keeps a key for the check at the end of its object. Returns a fault of the key itself.
    fn remember(&mut self, text: Cow<'a, str>, at: usize, zone: Zone) -> Result<Option<Refusal>, Refusal> {
        let limit = self.rules.limits.keys;
        self.keys_seen += 1;
        if self.keys_seen > limit {
            return Err(Reason::TooManyKeys { limit }.at(at));
        }
        if !text.is_ascii() {
            self.folded_bytes += text.len();
            if self.folded_bytes > MAX_FOLDED_KEY_BYTES {
                return Err(Reason::KeysTooLong.at(at));
            }
        }
        let forbidden = reserved::is_forbidden(&text);
        let key = Key::new(text, at);
        let reserved = if zone == Zone::Protocol { key.lookalike() } else { None };
        self.keys.push(key);
        if forbidden {
            return Ok(Some(Reason::ForbiddenKey.at(at)));
        }
        Ok(reserved.map(|reserved| Reason::LookalikeKey { reserved }.at(at)))
    }

    fn string_at(&mut self, quote: usize) -> Result<Span, Refusal> {
        let span = text::span(self.bytes(), quote)?;
        self.at = span.end + 1;
        match span.broken {
            Some(refusal) if !self.rules.is_answer() => Err(refusal),
            _ => Ok(span),
        }
    }

    fn open(&mut self, bracket: u8) -> Result<(), Refusal> {
        let at = self.expect(bracket)?;
        let limit = self.rules.limits.depth;
        if self.depth == limit {
            return Err(Reason::TooDeep { limit }.at(at));
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    /// Passes the closing bracket if it comes next.
    fn close(&mut self, bracket: u8) -> Result<bool, Refusal> {
        let found = self.next_byte()? == bracket;
        self.at += usize::from(found);
        Ok(found)
    }

    /// Passes white space and demands `byte` behind it, which is not passed. Returns its offset.
    fn expect(&mut self, byte: u8) -> Result<usize, Refusal> {
        if self.next_byte()? == byte { Ok(self.at) } else { Err(Reason::UnexpectedByte.at(self.at)) }
    }

    /// Passes white space and looks at the byte behind it.
    fn next_byte(&mut self) -> Result<u8, Refusal> {
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Ok(byte);
            }
            self.at += 1;
        }
        Err(Reason::UnexpectedEnd.at(self.at))
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }
}

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

/// Room for the keys of the objects that are open at once in a usual body.
const USUAL_KEYS: usize = 32;

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
        Ok(Scanner {
            text,
            rules,
            at: 0,
            depth: 0,
            keys_seen: 0,
            folded_bytes: 0,
            keys: Vec::with_capacity(USUAL_KEYS),
        })
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
        self.next_byte();
        if self.at < self.text.len() { Err(Reason::TrailingBytes.at(self.at)) } else { Ok(()) }
    }

    /// The type of the next value, without reading it; white space before it is passed.
    ///
    /// # Errors
    /// When no value begins here.
    pub fn peek(&mut self) -> Result<Kind, Refusal> {
        match self.next_byte() {
            b'{' => Ok(Kind::Object),
            b'[' => Ok(Kind::Array),
            b'"' => Ok(Kind::String),
            b'-' | b'0'..=b'9' => Ok(Kind::Number),
            b't' | b'f' => Ok(Kind::Bool),
            b'n' => Ok(Kind::Null),
            _ => Err(self.unexpected()),
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
        self.members(zone, |scanner, span| {
            let key = text::decode(scanner.text, span);
            member(scanner, key.unwrap_or(Cow::Borrowed(&scanner.text[span.start..span.end])))
        })
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
        let mut more = !self.passes(b']');
        while more {
            element(self)?;
            more = self.has_more(b']')?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads a string and returns where it lies; [`Scanner::decode`] gives its text.
    ///
    /// # Errors
    /// When no string begins here, and faults of syntax.
    #[inline]
    pub fn string(&mut self) -> Result<Span, Refusal> {
        if self.next_byte() != b'"' {
            return Err(self.unexpected());
        }
        let span = text::span(self.bytes(), self.at, self.rules.is_answer())?;
        self.at = span.end + 1;
        Ok(span)
    }

    /// The text of a string that was read; `None` if an escape in it has no one reading, which only strings of
    /// answers can have.
    #[must_use]
    pub fn decode(&self, span: Span) -> Option<Cow<'a, str>> {
        text::decode(self.text, span)
    }

    /// Passes over one value and returns its bytes, from its first to its last.
    ///
    /// # Errors
    /// Whatever the [`Rules`] find in it.
    pub fn skip(&mut self) -> Result<&'a [u8], Refusal> {
        self.next_byte();
        let start = self.at;
        self.pass()?;
        Ok(self.since(start))
    }

    /// Passes over one value.
    fn pass(&mut self) -> Result<(), Refusal> {
        match self.next_byte() {
            b'"' => self.string().map(drop),
            b'{' if self.rules.is_answer() => self.pass_plain_object(),
            b'{' => match self.members(Zone::Free, |scanner, _| scanner.pass())? {
                Some(fault) => Err(fault),
                None => Ok(()),
            },
            b'[' => self.array(Self::pass),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            _ => Err(self.unexpected()),
        }
    }

    /// An object of which nothing but its syntax matters: no key is kept.
    fn pass_plain_object(&mut self) -> Result<(), Refusal> {
        self.open(b'{')?;
        let mut more = !self.passes(b'}');
        while more {
            self.string()?;
            self.demand(b':')?;
            self.pass()?;
            more = self.has_more(b'}')?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads an object whose keys matter: `member` is called with where each key lies and must read the value.
    fn members<F>(&mut self, zone: Zone, mut member: F) -> Result<Option<Refusal>, Refusal>
    where
        F: FnMut(&mut Self, Span) -> Result<(), Refusal>,
    {
        self.open(b'{')?;
        let first_key = self.keys.len();
        let mut fault = None;
        let mut more = !self.passes(b'}');
        while more {
            let span = self.string()?;
            self.remember(span, zone, &mut fault)?;
            self.demand(b':')?;
            member(self, span)?;
            more = self.has_more(b'}')?;
        }
        self.depth -= 1;
        let clash = keys::check(&mut self.keys[first_key..]).err();
        self.keys.truncate(first_key);
        Ok(clash.or(fault))
    }

    /// Keeps a key for the check at the end of its object, and notes a fault of the key itself.
    #[inline]
    fn remember(&mut self, span: Span, zone: Zone, fault: &mut Option<Refusal>) -> Result<(), Refusal> {
        self.keys_seen += 1;
        let limit = self.rules.limits.keys;
        if self.keys_seen > limit {
            return Err(Reason::TooManyKeys { limit }.at(span.start - 1));
        }
        let text = &self.text[span.start..span.end];
        let plain = !span.escaped && text.is_ascii() && !text.starts_with('$');
        if plain && (zone == Zone::Free || reserved::lookalike(text, None).is_none()) {
            self.keys.push(Key::ascii(text, span.start - 1));
            return Ok(());
        }
        self.remember_with_care(span, zone, fault)
    }

    /// [`Scanner::remember`] for keys that are escaped, not ASCII, or in danger of being taken for another.
    fn remember_with_care(
        &mut self,
        span: Span,
        zone: Zone,
        fault: &mut Option<Refusal>,
    ) -> Result<(), Refusal> {
        let at = span.start - 1;
        let Some(text) = text::decode(self.text, span) else {
            fault.get_or_insert(Reason::LoneSurrogate.at(at));
            return Ok(());
        };
        let key = match text {
            Cow::Borrowed(text) if text.is_ascii() => Key::ascii(text, at),
            text => {
                self.folded_bytes += text.len();
                if self.folded_bytes > MAX_FOLDED_KEY_BYTES {
                    return Err(Reason::KeysTooLong.at(at));
                }
                Key::new(text, at)
            }
        };
        if reserved::is_forbidden(key.text()) {
            fault.get_or_insert(Reason::ForbiddenKey.at(at));
        }
        if zone == Zone::Protocol
            && let Some(reserved) = key.lookalike()
        {
            fault.get_or_insert(Reason::LookalikeKey { reserved }.at(at));
        }
        self.keys.push(key);
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
        self.at += rest.iter().zip(word.as_bytes()).take_while(|(got, wanted)| got == wanted).count();
        Err(self.unexpected())
    }

    fn open(&mut self, bracket: u8) -> Result<(), Refusal> {
        self.demand(bracket)?;
        let limit = self.rules.limits.depth;
        if self.depth == limit {
            return Err(Reason::TooDeep { limit }.at(self.at - 1));
        }
        self.depth += 1;
        Ok(())
    }

    /// After a member or element: passes the comma and says that there is more, or passes the closing bracket.
    #[inline]
    fn has_more(&mut self, bracket: u8) -> Result<bool, Refusal> {
        let byte = self.next_byte();
        if byte != b',' && byte != bracket {
            return Err(self.unexpected());
        }
        self.at += 1;
        Ok(byte == b',')
    }

    /// Passes `byte` if it comes next.
    #[inline]
    fn passes(&mut self, byte: u8) -> bool {
        let found = self.next_byte() == byte;
        self.at += usize::from(found);
        found
    }

    /// Passes `byte`, which must come next.
    #[inline]
    fn demand(&mut self, byte: u8) -> Result<(), Refusal> {
        if self.passes(byte) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Passes white space and looks at the byte behind it; 0, which stands nowhere in JSON, at the end.
    #[inline]
    fn next_byte(&mut self) -> u8 {
        match self.bytes().get(self.at) {
            Some(&byte) if byte > b' ' => byte,
            _ => self.byte_after_space(),
        }
    }

    fn byte_after_space(&mut self) -> u8 {
        let rest = &self.bytes()[self.at..];
        let space = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).count();
        self.at += space;
        rest.get(space).copied().unwrap_or(0)
    }

    #[cold]
    fn unexpected(&self) -> Refusal {
        let at_end = self.at >= self.text.len();
        if at_end { Reason::UnexpectedEnd.at(self.at) } else { Reason::UnexpectedByte.at(self.at) }
    }

    #[inline]
    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }
}

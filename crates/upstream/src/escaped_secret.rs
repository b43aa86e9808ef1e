//! The search for a secret behind the escapes of JSON and of pages.
//!
//! An encoder chooses which characters it escapes and how, so the spellings of a secret cannot be listed. Instead the
//! text is read as a reader of JSON or of a page would read it, character by character, and compared with the secret
//! read in the same way; the place of a match is the place of its raw bytes.
//!
//! One reading serves all of it. Backslashes are skipped, however many levels of JSON put them there; after one,
//! `uXXXX` and `xXX` are the character they name; an ampersand, itself in whatever spelling, begins a character
//! reference as pages have them: decimal, hexadecimal, or one of [`NAMES`], also where its own ampersand was escaped.
//! Letters of digits may be small or large. Since backslashes say nothing, a text that differs from the secret in
//! backslashes only is taken for it.
//!
//! Not found: `\u{…}`, references without their semicolon, names beside [`NAMES`], a character spelled in more bytes
//! than [`MAX_UNIT_BYTES`]. What must stay true: what a unit at a place is depends on no byte behind the unit, so
//! [`EscapedSecret::is_open`] says exactly where the next chunk could still make a match.

use std::ops::Range;

use zeroize::Zeroizing;

/// How far into a unit another backslash may stand: four levels of JSON put 15 before a quotation mark.
const MAX_BACKSLASH_BYTES: usize = 16;

/// How often the ampersand of a reference may itself have been escaped.
const MAX_NESTED_AMPERSANDS: usize = 2;

/// Bytes of a reference after its ampersand, semicolon included: `#x0027;` and one zero more.
const MAX_REFERENCE_BYTES: usize = 8;

/// The most bytes that spell one character: backslashes, an escape, nested ampersands, a reference.
const MAX_UNIT_BYTES: usize =
    MAX_BACKSLASH_BYTES + 5 + MAX_NESTED_AMPERSANDS * AMPERSAND.len() + MAX_REFERENCE_BYTES;

/// What an escaped ampersand has behind its ampersand.
const AMPERSAND: &[u8] = b"amp;";

/// The names of ASCII characters that encoders write (WHATWG HTML, section 13.5).
const NAMES: &[(&[u8], u8)] = &[
    (b"amp", b'&'),
    (b"apos", b'\''),
    (b"ast", b'*'),
    (b"bsol", b'\\'),
    (b"colon", b':'),
    (b"comma", b','),
    (b"commat", b'@'),
    (b"dollar", b'$'),
    (b"equals", b'='),
    (b"excl", b'!'),
    (b"grave", b'`'),
    (b"gt", b'>'),
    (b"Hat", b'^'),
    (b"lbrack", b'['),
    (b"lcub", b'{'),
    (b"lowbar", b'_'),
    (b"lpar", b'('),
    (b"lsqb", b'['),
    (b"lt", b'<'),
    (b"num", b'#'),
    (b"percnt", b'%'),
    (b"period", b'.'),
    (b"plus", b'+'),
    (b"quest", b'?'),
    (b"quot", b'"'),
    (b"rcub", b'}'),
    (b"rpar", b')'),
    (b"rsqb", b']'),
    (b"semi", b';'),
    (b"sol", b'/'),
    (b"vert", b'|'),
    (b"verbar", b'|'),
];

/// A secret as it is read. Wiped on drop.
pub(crate) struct EscapedSecret {
    characters: Zeroizing<Vec<u32>>,
    /// The bytes with which a spelling of the first character begins.
    first: Zeroizing<[bool; 256]>,
}

/// What stands at a place.
enum Unit {
    /// A character, and how many bytes spell it.
    Character(u32, usize),
    /// The text ends before it is clear.
    Unfinished,
    /// Nothing that is read.
    Nothing,
}

/// How far a place agrees with the secret.
enum Agrees {
    Whole(usize),
    UntilTheEnd,
    Not,
}

impl EscapedSecret {
    /// `secret` as it is read; nothing if too few characters remain of it to be looked for.
    pub(crate) fn new(secret: &[u8], min_characters: usize) -> Option<Self> {
        let mut characters = Zeroizing::new(Vec::with_capacity(secret.len()));
        let mut rest = secret;
        while let Unit::Character(character, length) = unit(rest, true) {
            characters.push(character);
            rest = &rest[length..];
        }
        // Only backslashes may remain; more than are ever skipped make a secret that is looked for as it is only.
        if characters.len() < min_characters || rest.iter().any(|byte| *byte != b'\\') {
            return None;
        }
        let mut first = Zeroizing::new([false; 256]);
        let plain = u8::try_from(characters[0]).ok().into_iter();
        plain.chain(*br"\&").for_each(|byte| first[usize::from(byte)] = true);
        Some(Self { characters, first })
    }

    /// The first place at or after `from` where the secret stands, taking the end of `text` for that of the body.
    pub(crate) fn find(&self, text: &[u8], from: usize) -> Option<Range<usize>> {
        (from..text.len()).find_map(|at| match self.agrees(&text[at..], true) {
            Agrees::Whole(length) => Some(at..at + length),
            Agrees::UntilTheEnd | Agrees::Not => None,
        })
    }

    /// Whether `suffix`, which is not empty, could be continued to the secret.
    pub(crate) fn is_open(&self, suffix: &[u8]) -> bool {
        matches!(self.agrees(suffix, false), Agrees::UntilTheEnd)
    }

    /// The most bytes that a spelling of the secret has.
    pub(crate) fn longest(&self) -> usize {
        self.characters.len() * MAX_UNIT_BYTES
    }

    /// Whether this character is one of the secret's.
    pub(crate) fn has(&self, character: u8) -> bool {
        self.characters.contains(&u32::from(character))
    }

    fn agrees(&self, text: &[u8], ended: bool) -> Agrees {
        if !self.first[usize::from(text[0])] {
            return Agrees::Not;
        }
        let mut at = 0;
        for expected in self.characters.iter() {
            match unit(&text[at..], ended) {
                Unit::Character(character, length) if character == *expected => at += length,
                Unit::Unfinished => return Agrees::UntilTheEnd,
                Unit::Character(..) | Unit::Nothing => return Agrees::Not,
            }
        }
        Agrees::Whole(at)
    }
}

/// The unit at the beginning of `text`. If the text has `ended`, what is not whole is what it is without the rest.
fn unit(text: &[u8], ended: bool) -> Unit {
    let mut at = 0;
    loop {
        let Some(byte) = text.get(at) else { return Unit::Unfinished };
        let digits = match byte {
            b'u' if at > 0 => 4,
            b'x' if at > 0 => 2,
            _ => 0,
        };
        at += 1;
        let mut character = u32::from(*byte);
        match escape(&text[at..], digits, ended) {
            None => return Unit::Unfinished,
            Some(Some(named)) => (character, at) = (named, at + digits),
            Some(None) => {}
        }
        if character == u32::from(b'&') {
            let Some((named, length)) = reference(&text[at..], ended) else { return Unit::Unfinished };
            (character, at) = (named, at + length);
        }
        if character != u32::from(b'\\') {
            return Unit::Character(character, at);
        }
        if at > MAX_BACKSLASH_BYTES {
            return Unit::Nothing;
        }
    }
}

/// The character that so many hexadecimal digits name, if they are there; nothing at all if that is not clear yet.
fn escape(text: &[u8], digits: usize, ended: bool) -> Option<Option<u32>> {
    let there = &text[..text.len().min(digits)];
    if digits == 0 || !there.iter().all(u8::is_ascii_hexdigit) {
        return Some(None);
    }
    if there.len() < digits {
        return ended.then_some(None);
    }
    Some(number(there, 16))
}

/// The character of a reference whose first ampersand stands before `text`, and the bytes it takes of `text`; an
/// ampersand that begins no reference is itself. Nothing if it is not clear yet.
fn reference(text: &[u8], ended: bool) -> Option<(u32, usize)> {
    let mut at = 0;
    while at < MAX_NESTED_AMPERSANDS * AMPERSAND.len() && text[at..].starts_with(AMPERSAND) {
        at += AMPERSAND.len();
    }
    let itself = Some((u32::from(b'&'), at));
    let rest = &text[at..text.len().min(at + MAX_REFERENCE_BYTES)];
    match rest.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'#') {
        Some(end) if rest[end] == b';' => {
            named(&rest[..end]).map(|character| (character, at + end + 1)).or(itself)
        }
        None if rest.len() < MAX_REFERENCE_BYTES && !ended => None,
        Some(_) | None => itself,
    }
}

/// The character that stands between `&` and `;` by its number or its name.
fn named(reference: &[u8]) -> Option<u32> {
    match reference {
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16),
        [b'#', digits @ ..] => number(digits, 10),
        name => NAMES.iter().find(|(known, _)| *known == name).map(|(_, character)| u32::from(*character)),
    }
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}

#[cfg(test)]
mod tests;

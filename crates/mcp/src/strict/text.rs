//! Strings: finding their end fast, checking their escapes, and undoing them when somebody needs the text.
//!
//! Most strings are never unescaped, only passed over, so finding the end is what must be quick: eight bytes at a
//! time, stopping at a quote, a backslash or a control character. The caller has already checked that the whole body
//! is UTF-8, so bytes above 0x7f need no look.

use std::borrow::Cow;

use super::refusal::{Reason, Refusal};

/// Where the text of a string lies between its quotes, and what was seen in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First byte after the opening quote.
    pub start: usize,
    /// The closing quote.
    pub end: usize,
    /// Whether an escape stands in it, so that the text differs from the bytes.
    pub escaped: bool,
    /// Whether an escape stands in it that some parsers replace (NUL, half of a surrogate pair), so that the text has
    /// no one reading.
    pub broken: bool,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The offset of the first quote, backslash or control character at or after `from`, or the length.
#[inline]
fn special(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(chunk) = bytes.get(at..at + 8) {
        let word = u64::from_le_bytes(chunk.try_into().expect("the slice has eight bytes"));
        // A byte is zero where `(x - 1) & !x` has its high bit; a borrow can only spoil bytes above the first hit,
        // and only the first hit is used.
        let quote = word ^ (ONES * u64::from(b'"'));
        let slash = word ^ (ONES * u64::from(b'\\'));
        let found = (quote.wrapping_sub(ONES) & !quote)
            | (slash.wrapping_sub(ONES) & !slash)
            | (word.wrapping_sub(ONES * 0x20) & !word);
        let found = found & HIGHS;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(&byte) = bytes.get(at) {
        if byte == b'"' || byte == b'\\' || byte < 0x20 {
            break;
        }
        at += 1;
    }
    at
}

/// Reads the string whose opening quote is at `quote`. An escape that some parsers replace is a refusal, or, if
/// `lenient`, a mark on the span.
#[inline]
pub(super) fn span(bytes: &[u8], quote: usize, lenient: bool) -> Result<Span, Refusal> {
    let start = quote + 1;
    let end = special(bytes, start);
    if bytes.get(end) == Some(&b'"') {
        return Ok(Span { start, end, escaped: false, broken: false });
    }
    span_with_escapes(bytes, start, end, lenient)
}

/// The rest of [`span`] from the first byte that is not plain text.
fn span_with_escapes(bytes: &[u8], start: usize, mut at: usize, lenient: bool) -> Result<Span, Refusal> {
    let mut broken = None;
    loop {
        match bytes.get(at) {
            Some(b'"') => break,
            Some(b'\\') => at = special(bytes, escape(bytes, at, &mut broken)?),
            Some(_) => return Err(Reason::ControlCharacter.at(at)),
            None => return Err(Reason::UnexpectedEnd.at(at)),
        }
    }
    match broken {
        Some(refusal) if !lenient => Err(refusal),
        _ => Ok(Span { start, end: at, escaped: true, broken: broken.is_some() }),
    }
}

/// Checks the escape whose backslash is at `at` and returns the offset after it (after both halves of a pair).
fn escape(bytes: &[u8], at: usize, broken: &mut Option<Refusal>) -> Result<usize, Refusal> {
    match bytes.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => return Ok(at + 2),
        Some(b'u') => {}
        Some(_) => return Err(Reason::BadEscape.at(at)),
        None => return Err(Reason::UnexpectedEnd.at(at + 1)),
    }
    let unit = hex(bytes, at)?;
    let reason = match unit {
        0 => Reason::Nul,
        0xD800..=0xDBFF => {
            let second = at + 6;
            let paired = bytes.get(second..second + 2) == Some(b"\\u")
                && matches!(hex(bytes, second)?, 0xDC00..=0xDFFF);
            if paired {
                return Ok(second + 6);
            }
            Reason::LoneSurrogate
        }
        0xDC00..=0xDFFF => Reason::LoneSurrogate,
        _ => return Ok(at + 6),
    };
    broken.get_or_insert(reason.at(at));
    Ok(at + 6)
}

/// The four hexadecimal digits after the `\u` at `at`.
fn hex(bytes: &[u8], at: usize) -> Result<u32, Refusal> {
    let mut unit = 0;
    for offset in at + 2..at + 6 {
        let digit = match bytes.get(offset) {
            Some(&byte) => char::from(byte).to_digit(16),
            None => return Err(Reason::UnexpectedEnd.at(offset)),
        };
        unit = unit * 16 + digit.ok_or(Reason::BadEscape.at(at))?;
    }
    Ok(unit)
}

/// The text of a string, borrowed when it has no escapes; `None` when an escape in it has no one reading.
#[inline]
pub(super) fn decode(text: &str, span: Span) -> Option<Cow<'_, str>> {
    let raw = &text[span.start..span.end];
    match span {
        Span { broken: true, .. } => None,
        Span { escaped: true, .. } => Some(Cow::Owned(unescape(raw))),
        Span { .. } => Some(Cow::Borrowed(raw)),
    }
}

/// Undoes the escapes of `raw`, which [`span`] has accepted and found unbroken.
fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let bytes = rest.as_bytes();
        let (character, length) = match bytes[at + 1] {
            b'b' => ('\u{8}', 2),
            b'f' => ('\u{c}', 2),
            b'n' => ('\n', 2),
            b'r' => ('\r', 2),
            b't' => ('\t', 2),
            b'u' => unicode(bytes, at),
            itself => (char::from(itself), 2),
        };
        text.push(character);
        rest = &rest[at + length..];
    }
    text.push_str(rest);
    text
}

/// The character of a checked `\u` escape or pair of them, and how many bytes it takes.
fn unicode(bytes: &[u8], at: usize) -> (char, usize) {
    let unit = hex(bytes, at).expect("the scanner has checked the digits");
    if let Some(character) = char::from_u32(unit) {
        return (character, 6);
    }
    let low = hex(bytes, at + 6).expect("the scanner has checked the second half");
    let code = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    (char::from_u32(code).expect("a surrogate pair names a character"), 12)
}

#[cfg(test)]
mod tests {
    use super::{decode, span, special};

    fn read(json: &str) -> Result<String, &'static str> {
        let span = span(json.as_bytes(), 0, false).map_err(|refusal| refusal.reason.code())?;
        Ok(decode(json, span).expect("a span that is not lenient is not broken").into())
    }

    #[test]
    fn the_end_of_a_string_is_found_at_every_alignment() {
        for stop in ['"', '\\', '\u{1f}', '\0'] {
            for length in 0..40 {
                let text = format!("{}{stop}\"\\\u{1}", "é~x".repeat(14).get(..length).unwrap_or("é"));
                let expected = text.find(stop).unwrap();
                assert_eq!(special(text.as_bytes(), 0), expected, "{text:?}");
            }
        }
    }

    #[test]
    fn escapes_are_undone() {
        assert_eq!(read(r#""n\u0061me\n\t\"\\\/\b\f\r""#), Ok("name\n\t\"\\/\u{8}\u{c}\r".into()));
        assert_eq!(read(r#""\ud83d\ude00 \uD83D\uDE00 \u00e9é""#), Ok("😀 😀 éé".into()));
        assert_eq!(read("\"plain\" and more"), Ok("plain".into()));
    }

    /// C12: strings that parsers end early, replace or keep.
    #[test]
    fn c12_strings_without_one_reading_are_refused() {
        for (json, code) in [
            ("\"\\u0000\"", "nul"),
            ("\"\0\"", "control_character"),
            ("\"a\nb\"", "control_character"),
            ("\"\\ud800\"", "lone_surrogate"),
            ("\"\\ud800x\"", "lone_surrogate"),
            ("\"\\ud800\\n\"", "lone_surrogate"),
            ("\"\\ud800\\u0041\"", "lone_surrogate"),
            ("\"\\udc00\\ud800\"", "lone_surrogate"),
            ("\"\\x41\"", "bad_escape"),
            ("\"\\u00g0\"", "bad_escape"),
            ("\"\\u+041\"", "bad_escape"),
            ("\"\\u00", "unexpected_end"),
            ("\"\\", "unexpected_end"),
            ("\"abc", "unexpected_end"),
        ] {
            assert_eq!(read(json), Err(code), "{json:?}");
        }
    }
}

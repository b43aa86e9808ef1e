//! The forms in which a secret can come back, and a search for all of them at once.
//!
//! Forms: as it is; base64, standard and URL-safe, at each of the three alignments it can have inside a longer text;
//! hexadecimal and percent-encoded, in the spellings that common libraries write; and escaped for JSON and for pages in
//! whatever mixture of spellings, which [`crate::escaped_secret`] looks for. Secrets below [`MIN_ENCODED_SECRET_BYTES`]
//! are looked for as they are only: their encoded forms are so short that ordinary text holds them. Not found, and
//! stated in the documentation: a secret that was encrypted, compressed, broken into lines, cut up by the server, or
//! encoded twice, but for escapes inside escapes.
//!
//! The search is that of Wu and Manber: two bytes at the end of a window tell how far the window may move, so most
//! bytes of an ordinary body are never looked at. It is written here, and not taken from a library, because everything
//! in it is as secret as the secret and has to be wiped, and because the redactor must know exactly which suffix of a
//! chunk could be the beginning of a form.

use std::{
    iter::{from_fn, successors},
    ops::Range,
};

use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{GeneralPurpose, general_purpose::NO_PAD},
};
use keyring::secret_value::MIN_SECRET_BYTES;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use zeroize::Zeroizing;

use crate::escaped_secret::EscapedSecret;

/// Below this length only the secret itself is looked for: eight bytes in base64 are eleven characters, which do not
/// occur by chance. A shorter one can only have been stored before that was refused.
pub const MIN_ENCODED_SECRET_BYTES: usize = MIN_SECRET_BYTES;

/// Entries of the table of moves: pairs of bytes are folded into 12 bits, so that it stays in the first cache.
const MOVES: usize = 1 << 12;

/// All but the unreserved characters (RFC 3986, section 2.3).
const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What JavaScript's `encodeURIComponent` writes.
const COMPONENT: &AsciiSet = &STRICT.remove(b'!').remove(b'\'').remove(b'(').remove(b')').remove(b'*');

/// The forms of one secret. Wiped on drop.
pub(crate) struct SecretForms {
    forms: Vec<Zeroizing<Vec<u8>>>,
    /// How far a window may move, by the two bytes at its end.
    moves: Zeroizing<Vec<u8>>,
    /// The bytes with which a form begins.
    first: Zeroizing<[bool; 256]>,
    shortest: usize,
    longest: usize,
    /// The secret behind escapes, which has too many spellings to be a form.
    escaped: Option<EscapedSecret>,
}

impl SecretForms {
    /// The forms of `secret`, which is not empty.
    pub(crate) fn new(secret: &[u8]) -> Self {
        let mut forms = vec![Zeroizing::new(secret.to_vec())];
        let mut escaped = None;
        if secret.len() >= MIN_ENCODED_SECRET_BYTES {
            add_encoded(secret, &mut forms);
            escaped = EscapedSecret::new(secret, MIN_ENCODED_SECRET_BYTES);
        }
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        let shortest = forms.last().map_or(0, |form| form.len());
        let longest = forms.first().map_or(0, |form| form.len());
        let mut first = Zeroizing::new([false; 256]);
        for form in &forms {
            first[usize::from(form[0])] = true;
        }
        let moves = moves(&forms, shortest);
        Self { forms, moves, first, shortest, longest, escaped }
    }

    /// The places where the secret stands in one form or another, in the order in which they begin. Each of the two
    /// searches goes over `text` once, however many places there are.
    pub(crate) fn places(&self, text: &[u8]) -> impl Iterator<Item = Range<usize>> {
        let mut forms = successors(self.find(text, 0), |place| self.find(text, place.start + 1)).peekable();
        let find_escaped = |from| self.escaped.as_ref().and_then(|escaped| escaped.find(text, from));
        let mut escaped =
            successors(find_escaped(0), move |place: &Range<usize>| find_escaped(place.start + 1)).peekable();
        from_fn(move || match (forms.peek(), escaped.peek()) {
            (Some(form), Some(other)) if other.start < form.start => escaped.next(),
            (Some(_), _) => forms.next(),
            (None, _) => escaped.next(),
        })
    }

    /// The first place at or after `from` where a form stands, with the longest form that stands there.
    fn find(&self, text: &[u8], from: usize) -> Option<Range<usize>> {
        let mut at = from;
        while at + self.shortest <= text.len() {
            let steps = match self.shortest {
                1 => 0,
                window => self.moves[pair(text[at + window - 2], text[at + window - 1])],
            };
            if steps > 0 {
                at += usize::from(steps);
                continue;
            }
            // The forms are sorted by length, so the first that fits is the longest.
            if let Some(form) = self.forms.iter().find(|form| text[at..].starts_with(form)) {
                return Some(at..at + form.len());
            }
            at += 1;
        }
        None
    }

    /// Where the longest suffix of `text` begins that a form could continue; its length if there is none.
    pub(crate) fn open_suffix(&self, text: &[u8]) -> usize {
        let longest = self.escaped.as_ref().map_or(0, EscapedSecret::longest).max(self.longest);
        let earliest = text.len().saturating_sub(longest - 1);
        let open = |at: &usize| {
            let suffix = &text[*at..];
            let begins_form = self.first[usize::from(suffix[0])]
                && self.forms.iter().any(|form| form.len() > suffix.len() && form.starts_with(suffix));
            begins_form || self.escaped.as_ref().is_some_and(|escaped| escaped.is_open(suffix))
        };
        (earliest..text.len()).find(open).unwrap_or(text.len())
    }

    /// Whether any form stands in `text`.
    pub(crate) fn stand_in(&self, text: &[u8]) -> bool {
        self.places(text).next().is_some()
    }

    /// Whether this character is one of the secret's, as it is or behind its own escapes.
    pub(crate) fn have(&self, character: u8) -> bool {
        self.forms.iter().any(|form| form.contains(&character))
            || self.escaped.as_ref().is_some_and(|escaped| escaped.has(character))
    }
}

fn add_encoded(secret: &[u8], forms: &mut Vec<Zeroizing<Vec<u8>>>) {
    for alphabet in [&STANDARD, &URL_SAFE] {
        let engine = GeneralPurpose::new(alphabet, NO_PAD);
        forms.extend((0..3).map(|before| base64_inside(&engine, secret, before)));
    }
    for digits in [b"0123456789abcdef", b"0123456789ABCDEF"] {
        let digit = |nibble: u8| digits[usize::from(nibble)];
        let hex = secret.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
        forms.push(collected(2 * secret.len(), hex));
    }
    for set in [STRICT, COMPONENT] {
        let upper = collected(3 * secret.len(), percent_encode(secret, set).flat_map(str::bytes));
        forms.push(lower_case_escapes(&upper));
        // Forms are written with a plus for a space (WHATWG URL, application/x-www-form-urlencoded).
        forms.push(replaced(&upper, b"%20", b"+"));
        forms.push(upper);
    }
    // Escaped once as JSON demands: for secrets of backslashes, which the other search reads over.
    forms.push(replaced(&replaced(secret, b"\\", b"\\\\"), b"\"", b"\\\""));
}

/// The characters of a base64 text that are fully determined by `secret`, when `before` bytes (modulo 3) precede it.
fn base64_inside(engine: &GeneralPurpose, secret: &[u8], before: usize) -> Zeroizing<Vec<u8>> {
    let padded = Zeroizing::new([&[0; 2][..before], secret].concat());
    let encoded = Zeroizing::new(engine.encode(&padded[..]).into_bytes());
    // Of 1 byte before, 8 of the first 12 bits are not ours; of 2, 16 of the first 18.
    let skipped = [0, 2, 3][before];
    let whole = padded.len() * 8 / 6;
    Zeroizing::new(encoded[skipped..whole].to_vec())
}

/// Percent-escapes with small letters; the rest as it is.
fn lower_case_escapes(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut lower = Zeroizing::new(text.to_vec());
    let mut at = 0;
    while at + 2 < lower.len() {
        if lower[at] == b'%' {
            lower[at + 1..at + 3].make_ascii_lowercase();
            at += 2;
        }
        at += 1;
    }
    lower
}

fn replaced(text: &[u8], what: &[u8], with: &[u8]) -> Zeroizing<Vec<u8>> {
    let places = text.windows(what.len()).filter(|window| *window == what).count();
    let mut out = Zeroizing::new(Vec::with_capacity(text.len() + places * with.len()));
    let mut rest = text;
    while let Some(first) = rest.first() {
        rest = match rest.strip_prefix(what) {
            Some(after) => {
                out.extend_from_slice(with);
                after
            }
            None => {
                out.push(*first);
                &rest[1..]
            }
        };
    }
    out
}

/// The bytes, in a vector that had room for all of them, so that growing left no partial copy behind.
fn collected(capacity: usize, bytes: impl Iterator<Item = u8>) -> Zeroizing<Vec<u8>> {
    let mut collected = Zeroizing::new(Vec::with_capacity(capacity));
    collected.extend(bytes);
    collected
}

/// The table of moves over the first `shortest` bytes of each form.
fn moves(forms: &[Zeroizing<Vec<u8>>], shortest: usize) -> Zeroizing<Vec<u8>> {
    let furthest = u8::try_from(shortest.saturating_sub(1)).unwrap_or(u8::MAX);
    let mut moves = Zeroizing::new(vec![furthest; MOVES]);
    for form in forms {
        for end in 1..shortest {
            let steps = u8::try_from(shortest - 1 - end).unwrap_or(u8::MAX);
            let entry = &mut moves[pair(form[end - 1], form[end])];
            *entry = steps.min(*entry);
        }
    }
    moves
}

fn pair(first: u8, second: u8) -> usize {
    (usize::from(first) << 4 ^ usize::from(second)) & (MOVES - 1)
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose;
    use proptest::prelude::*;

    use super::*;

    const SECRET: &[u8] = br#"s3cr3t/"quoted"\<token>+=?&"#;

    fn found(text: &[u8]) -> bool {
        SecretForms::new(SECRET).stand_in(text)
    }

    /// D08: the forms in which servers echo what they were sent.
    #[test]
    fn d08_every_common_form_is_found() {
        let text = std::str::from_utf8(SECRET).expect("it is text");
        for form in [
            text.to_owned(),
            r#"s3cr3t/\"quoted\"\\<token>+=?&"#.to_owned(),
            r#"s3cr3t\/\"quoted\"\\<token>+=?&"#.to_owned(),
            r#"s3cr3t/\"quoted\"\\\u003ctoken\u003e+=?\u0026"#.to_owned(),
            "s3cr3t%2F%22quoted%22%5C%3Ctoken%3E%2B%3D%3F%26".to_owned(),
            "s3cr3t%2f%22quoted%22%5c%3ctoken%3e%2b%3d%3f%26".to_owned(),
            SECRET.iter().map(|byte| format!("{byte:02x}")).collect(),
            SECRET.iter().map(|byte| format!("{byte:02X}")).collect(),
            // .NET's System.Text.Json, PHP's JSON_HEX_* flags, and all of it escaped.
            r#"s3cr3t/\u0022quoted\u0022\\\u003Ctoken\u003E\u002B=?\u0026"#.to_owned(),
            r#"s3cr3t\/\u0022quoted\u0022\\\u003Ctoken\u003E+=?\u0026"#.to_owned(),
            SECRET.iter().map(|byte| format!("\\u{byte:04x}")).collect(),
            SECRET.iter().map(|byte| format!("\\u{byte:04X}")).collect(),
            // JSON as a text inside JSON, as tools answer.
            r#"s3cr3t/\\\"quoted\\\"\\\\\\u003ctoken\\u003e+=?\\u0026"#.to_owned(),
            // Pages: Python's html.escape, PHP's htmlspecialchars, .NET's HtmlEncoder, and a page inside JSON.
            r#"s3cr3t/&quot;quoted&quot;\&lt;token&gt;+=?&amp;"#.to_owned(),
            r#"s3cr3t&#x2F;&#34;quoted&#034;\&lt;token&gt;&#x2B;=?&amp;"#.to_owned(),
            r#"s3cr3t/\u0026quot;quoted\u0026quot;\\\u0026lt;token\u0026gt;\u0026#43;=?\u0026amp;"#
                .to_owned(),
        ] {
            assert!(found(format!("before {form} after").as_bytes()), "{form}");
        }
        assert!(!found(b"before s3cr3t after"));
    }

    #[test]
    fn a_secret_below_the_minimum_is_found_as_it_is_only() {
        let short = SecretForms::new(b"7 bytes");
        assert!(short.stand_in(b"it has 7 bytes."));
        assert_eq!(short.forms.len(), 1);
        assert!(SecretForms::new(b"x").stand_in(b"wxyz"));
    }

    #[test]
    fn an_open_suffix_is_one_that_a_form_continues() {
        let forms = SecretForms::new(b"abcabcabd");
        assert_eq!(forms.open_suffix(b"--abcab"), 2);
        assert_eq!(forms.open_suffix(b"abcabcabc"), 3);
        assert_eq!(forms.open_suffix(b"event\n\n"), 7);
        assert_eq!(forms.open_suffix(b""), 0);
    }

    proptest! {
        /// D08: base64 of any text with the secret in it, in both alphabets, at every alignment.
        #[test]
        fn d08_base64_is_found_inside_a_longer_text(
            secret in proptest::collection::vec(0x21_u8..0x7f, MIN_ENCODED_SECRET_BYTES..60),
            before in proptest::collection::vec(any::<u8>(), 0..7),
            after in proptest::collection::vec(any::<u8>(), 0..7),
        ) {
            let forms = SecretForms::new(&secret);
            let whole = [&before[..], &secret, &after].concat();
            prop_assert!(forms.stand_in(general_purpose::STANDARD.encode(&whole).as_bytes()));
            prop_assert!(forms.stand_in(general_purpose::URL_SAFE_NO_PAD.encode(&whole).as_bytes()));
        }

        /// The moves skip nothing: the search agrees with looking at every place.
        #[test]
        fn the_search_agrees_with_the_naive_one(
            secret in proptest::collection::vec(prop_oneof![Just(b'a'), Just(b'b'), Just(b'%')], 1..12),
            text in proptest::collection::vec(prop_oneof![Just(b'a'), Just(b'b'), Just(b'%')], 0..80),
        ) {
            let forms = SecretForms::new(&secret);
            let naive = (0..text.len()).find_map(|at| {
                let longest = forms.forms.iter().filter(|form| text[at..].starts_with(form)).map(|form| form.len()).max();
                longest.map(|length| at..at + length)
            });
            prop_assert_eq!(forms.find(&text, 0), naive);
        }
    }
}

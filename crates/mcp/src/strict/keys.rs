//! The keys of the objects that are open: whether two of them are one key to somebody (FAULTS C01, C03, C04).
//!
//! All keys of an object are kept until it closes and are compared then, once, after unescaping and under the fold
//! of [`super::reserved`]. Small objects are compared pair by pair through a 64-bit print; large ones are sorted by
//! print and then by text, so that neither many keys nor keys made to collide cost more than n log n (C11).

use std::borrow::Cow;
use std::cmp::Ordering;

use super::refusal::{Reason, Refusal};
use super::reserved;

/// Up to this many keys every pair is compared: 28 comparisons of one word are cheaper than a sort.
const PAIRWISE: usize = 8;

/// One key of an open object.
#[derive(Debug)]
pub(super) struct Key<'a> {
    spelling: Spelling<'a>,
    /// A digest of the folded form without case: different prints mean different keys.
    print: u64,
    /// Offset of its opening quote.
    at: usize,
}

#[derive(Debug)]
enum Spelling<'a> {
    /// ASCII, which is compared without case as it is.
    Ascii(&'a str),
    /// Anything else; boxed, so that the many plain keys stay small.
    Other(Box<Other<'a>>),
}

#[derive(Debug)]
struct Other<'a> {
    /// The key as it reads, unescaped.
    text: Cow<'a, str>,
    /// Its folded form, unless it is ASCII.
    folded: Option<String>,
}

impl<'a> Key<'a> {
    /// A key that is plain ASCII.
    #[inline]
    pub(super) fn ascii(text: &'a str, at: usize) -> Self {
        Key { spelling: Spelling::Ascii(text), print: print(text.as_bytes()), at }
    }

    /// Any key.
    pub(super) fn new(text: Cow<'a, str>, at: usize) -> Self {
        let folded = (!text.is_ascii()).then(|| reserved::fold(&text));
        let print = print(folded.as_deref().unwrap_or(&text).as_bytes());
        Key { spelling: Spelling::Other(Box::new(Other { text, folded })), print, at }
    }

    /// The reserved key it could be taken for.
    pub(super) fn lookalike(&self) -> Option<&'static str> {
        match &self.spelling {
            Spelling::Ascii(text) => reserved::lookalike(text, None),
            Spelling::Other(key) => reserved::lookalike(&key.text, key.folded.as_deref()),
        }
    }

    /// The key as it reads.
    pub(super) fn text(&self) -> &str {
        match &self.spelling {
            Spelling::Ascii(text) => text,
            Spelling::Other(key) => &key.text,
        }
    }

    fn form(&self) -> &[u8] {
        match &self.spelling {
            Spelling::Ascii(text) => text.as_bytes(),
            Spelling::Other(key) => key.folded.as_deref().unwrap_or(&key.text).as_bytes(),
        }
    }

    fn clashes(&self, other: &Self) -> bool {
        self.print == other.print && self.form().eq_ignore_ascii_case(other.form())
    }

    fn order(&self, other: &Self) -> Ordering {
        self.print.cmp(&other.print).then_with(|| self.lower().cmp(other.lower()))
    }

    fn lower(&self) -> impl Iterator<Item = u8> {
        self.form().iter().map(u8::to_ascii_lowercase)
    }

    fn refusal(&self, other: &Self) -> Refusal {
        let reason =
            if self.text() == other.text() { Reason::DuplicateKey } else { Reason::FoldedDuplicateKey };
        reason.at(self.at.max(other.at))
    }
}

/// A digest of a form without case. It only has to be cheap and to tell ordinary keys apart: the bit that tells
/// ASCII cases apart is set everywhere, and who makes two prints meet gains nothing ([`Key::order`] goes on by text).
#[inline]
fn print(form: &[u8]) -> u64 {
    const CASE: u64 = 0x2020_2020_2020_2020;
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut print = form.len() as u64;
    let mut mix = |word: u64| print = (print ^ (word | CASE)).wrapping_mul(ODD).rotate_left(29);
    for word in form.as_chunks::<8>().0 {
        mix(u64::from_le_bytes(*word));
    }
    // What no whole word covers: the last eight bytes, or for short keys two halves that overlap, or three bytes.
    if let Some(tail) = form.last_chunk::<8>() {
        mix(u64::from_le_bytes(*tail));
    } else if let (Some(head), Some(tail)) = (form.first_chunk::<4>(), form.last_chunk::<4>()) {
        mix(u64::from(u32::from_le_bytes(*head)) << 32 | u64::from(u32::from_le_bytes(*tail)));
    } else {
        mix(form.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
    }
    print
}

/// Whether two of an object's keys are one key to somebody. May reorder `keys`.
pub(super) fn check(keys: &mut [Key<'_>]) -> Result<(), Refusal> {
    if keys.len() <= PAIRWISE {
        for (index, later) in keys.iter().enumerate() {
            if let Some(earlier) = keys[..index].iter().find(|earlier| earlier.clashes(later)) {
                return Err(later.refusal(earlier));
            }
        }
        return Ok(());
    }
    keys.sort_unstable_by(Key::order);
    match keys.windows(2).find(|pair| pair[0].clashes(&pair[1])) {
        Some(pair) => Err(pair[1].refusal(&pair[0])),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, check};

    fn verdict(names: &[String]) -> Result<(), &'static str> {
        let mut keys: Vec<_> =
            names.iter().enumerate().map(|(at, name)| Key::new(name.as_str().into(), at)).collect();
        check(&mut keys).map_err(|refusal| refusal.reason.code())
    }

    #[test]
    fn c01_equal_keys_are_found_in_small_and_large_objects() {
        for count in [2, 8, 9, 100] {
            let mut names: Vec<String> = (0..count).map(|n| format!("key number {n}")).collect();
            assert_eq!(verdict(&names), Ok(()), "{count}");
            names[count / 2] = names[0].clone();
            assert_eq!(verdict(&names), Err("duplicate_key"), "{count}");
            names[count / 2] = names[0].to_uppercase();
            assert_eq!(verdict(&names), Err("folded_duplicate_key"), "{count}");
        }
    }

    #[test]
    fn c03_keys_that_fold_together_are_found() {
        for (one, two) in [("size", "\u{17f}ize"), ("ok", "o\u{212a}"), ("é", "e\u{301}"), ("σ", "ς")] {
            assert_eq!(verdict(&[one.into(), two.into()]), Err("folded_duplicate_key"), "{one} {two}");
        }
        assert_eq!(verdict(&["é".into(), "e".into()]), Ok(()));
    }

    /// C11: keys chosen so that their prints collide cost a sort, not a quadratic search.
    #[test]
    fn c11_colliding_prints_are_told_apart_by_their_text() {
        let names: Vec<String> = (0..20_000).map(|n| format!("AAAAAAAA{n:08}AAAAAAAA")).collect();
        assert_eq!(verdict(&names), Ok(()));
    }
}

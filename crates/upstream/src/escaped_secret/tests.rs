//! Secrets behind escapes: what is found, what is held back, and that cutting a text changes neither.

use proptest::prelude::*;

use super::*;

fn read(secret: &[u8]) -> EscapedSecret {
    EscapedSecret::new(secret, 8).expect("it is long enough")
}

/// One of the ways in which encoders write a character.
fn spelled(character: u8, way: u8) -> Vec<u8> {
    let name = NAMES.iter().find(|(_, named)| *named == character).map(|(name, _)| *name);
    match (way % 9, character) {
        (0, _) => format!("\\u{character:04x}").into_bytes(),
        (1, _) => format!("\\u{character:04X}").into_bytes(),
        (2, _) => format!("&#{character};").into_bytes(),
        (3, _) => format!("&#x{character:02X};").into_bytes(),
        (4, _) => format!("\\u0026#{character};").into_bytes(),
        (5, _) if name.is_some() => [b"&", name.expect("it has one"), b";"].concat(),
        (6, b'"' | b'/' | b'\'' | b'\\') => vec![b'\\', character],
        (7, _) => format!("\\\\x{character:02x}").into_bytes(),
        _ => vec![character],
    }
}

#[test]
fn the_place_of_a_match_is_that_of_its_raw_bytes() {
    let secret = read(b"a+b=c/d\"e");
    let text = br#"{"x":"a\u002Bb&equals;c\/d\"e"}"#;
    assert_eq!(secret.find(text, 0), Some(6..text.len() - 2));
}

#[test]
fn only_an_unfinished_spelling_is_open() {
    let secret = read(b"a+b=c/d\"e");
    for open in ["a", r"a\", r"a\u00", "a&#4", "a&amp", "a&amp;", r"\\\", "&", r"a\u002Bb=c/d\"] {
        assert!(secret.is_open(open.as_bytes()), "{open}");
    }
    for closed in ["b", "a ", r"a\n", "a&lt;", r"a\u002g", "\n", "a&toolongname", r"a\u002C"] {
        assert!(!secret.is_open(closed.as_bytes()), "{closed}");
    }
}

#[test]
fn a_secret_of_which_too_little_is_read_is_left_to_the_other_search() {
    assert!(EscapedSecret::new(br"\\\\\\\\\\\\\\abcdefg", 8).is_none());
    assert!(EscapedSecret::new(br"abcdefgh\\\\\\\\\\\\\\\\\\\\\\\\\\\\i", 8).is_none());
    assert!(EscapedSecret::new(br"abcdefgh\", 8).is_some());
}

proptest! {
    /// D08: each character in a spelling of its own, and before every cut the match is open where it begins.
    #[test]
    fn d08_any_mixture_of_spellings_is_found(
        secret in proptest::collection::vec(prop_oneof![0x21_u8..0x25, 0x27_u8..0x5c, 0x5d_u8..0x7f], 8..40),
        ways in proptest::collection::vec(any::<u8>(), 40),
    ) {
        let text: Vec<u8> = secret.iter().zip(ways).flat_map(|(byte, way)| spelled(*byte, way)).collect();
        let read = read(&secret);
        prop_assert_eq!(read.find(&text, 0), Some(0..text.len()));
        for cut in 1..text.len() {
            prop_assert!(read.is_open(&text[..cut]), "{}", cut);
        }
    }

    /// A place that is neither open nor a match before a cut is no match after it.
    #[test]
    fn what_comes_later_opens_nothing(
        text in proptest::collection::vec(proptest::sample::select(&br"ab\u026&amp;#;x1"[..]), 1..60),
        secret in proptest::collection::vec(proptest::sample::select(&br"ab&\"[..]), 3..6),
        cut in any::<proptest::sample::Index>(),
    ) {
        let Some(secret) = EscapedSecret::new(&secret, 2) else { return Ok(()) };
        let cut = cut.index(text.len()) + 1;
        for at in 0..cut {
            if !secret.is_open(&text[at..cut]) {
                let (before, after) = (secret.agrees(&text[at..cut], true), secret.agrees(&text[at..], true));
                match (before, after) {
                    (Agrees::Whole(before), Agrees::Whole(after)) => prop_assert_eq!(before, after),
                    (before, after) => prop_assert!(
                        !matches!(before, Agrees::Whole(_)) && !matches!(after, Agrees::Whole(_))
                    ),
                }
            }
        }
    }
}

//! Notes are verified exactly, and one published elsewhere verifies too.

use proptest::prelude::*;

use super::*;
use crate::keyring::fixture::keyring;

const TEXT: &str = "audit.example.com/1\n42\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

fn signer(seed: u64) -> AuditSigner {
    keyring(seed).audit_signer("audit.example.com".parse().unwrap())
}

fn key() -> VerifyingKey {
    signer(1).verifying_key()
}

fn note() -> String {
    sign(TEXT, &signer(1)).unwrap()
}

fn line(note: &str) -> &str {
    note.rsplit_once("\n\n").unwrap().1
}

/// The example note of Go's `golang.org/x/mod/sumdb/note`, from which C2SP took the format. It holds us to the hash
/// of name and key, to the text that is signed and to the bytes of the line.
#[test]
fn a_note_signed_by_another_implementation_verifies() {
    let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().unwrap();
    let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    let note = format!(
        "{text}\n\u{2014} PeterNeumann \
         x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    );
    assert_eq!(verify(note.as_bytes(), &key), Ok(text));
}

#[test]
fn a_signed_note_has_the_documented_form_and_verifies() {
    let note = note();
    assert!(note.starts_with(&format!("{TEXT}\n\u{2014} audit.example.com ")));
    let blob = STANDARD.decode(line(&note).trim_end().rsplit_once(' ').unwrap().1).unwrap();
    assert_eq!(blob[..4], key().hash().0);
    assert_eq!(blob.len(), 4 + 64);
    assert_eq!(verify(note.as_bytes(), &key()), Ok(TEXT));
}

#[test]
fn a_text_with_empty_lines_verifies_whole() {
    let text = "first\n\n\u{2014} not a signature\n\n";
    let note = sign(text, &signer(1)).unwrap();
    assert_eq!(verify(note.as_bytes(), &key()), Ok(text));
}

#[test]
fn texts_that_cannot_be_notes_are_not_signed() {
    assert_eq!(sign("", &signer(1)), Err(NoteNotSigned::Unterminated));
    assert_eq!(sign("no line feed", &signer(1)), Err(NoteNotSigned::Unterminated));
    assert_eq!(sign("carriage return\r\n", &signer(1)), Err(NoteNotSigned::ControlCharacter));
    assert_eq!(sign("nul\0\n", &signer(1)), Err(NoteNotSigned::ControlCharacter));
    assert_eq!(sign(&"\n".repeat(MAX_NOTE_BYTES), &signer(1)), Err(NoteNotSigned::TooLong));
}

#[test]
fn signatures_by_other_keys_are_passed_over() {
    let other = sign(TEXT, &signer(2)).unwrap();
    assert_eq!(verify(other.as_bytes(), &key()), Err(NoteRefused::NotSignedByKey));
    let both = format!("{other}{}", line(&note()));
    assert_eq!(verify(both.as_bytes(), &key()), Ok(TEXT));
    let cosigned = format!("{}\u{2014} witness.example.com AAAAAAAA\n", note());
    assert_eq!(verify(cosigned.as_bytes(), &key()), Ok(TEXT));
}

#[test]
fn the_same_key_under_another_name_is_another_key() {
    let renamed = note().replace("\u{2014} audit.example.com ", "\u{2014} other.example.com ");
    assert_eq!(verify(renamed.as_bytes(), &key()), Err(NoteRefused::NotSignedByKey));
}

#[test]
fn every_fault_of_form_is_refused() {
    let good = note();
    let signature = line(&good).to_owned();
    let unsigned = good.strip_suffix(signature.as_str()).unwrap();
    let many = format!("{unsigned}{}", "\u{2014} witness AAAAAAAA\n".repeat(MAX_SIGNATURES + 1));
    let short = STANDARD.encode([&key().hash().0[..], &[0; 63]].concat());
    for (note, reason) in [
        (String::new(), NoteRefused::Malformed),
        (TEXT.to_owned(), NoteRefused::Malformed),
        (unsigned.to_owned(), NoteRefused::Malformed),
        (good.trim_end().to_owned(), NoteRefused::Malformed),
        (format!("{good}\n"), NoteRefused::Malformed),
        (format!("{good}trailing"), NoteRefused::Malformed),
        (good.replace('\u{2014}', "-"), NoteRefused::Malformed),
        (good.replace("\n\n", "\r\n\r\n"), NoteRefused::Malformed),
        (format!("{}\n", good.trim_end_matches(['=', '\n'])), NoteRefused::Malformed),
        (format!("{unsigned}\u{2014} audit.example.com  AAAAAAAA\n"), NoteRefused::Malformed),
        (format!("{unsigned}\u{2014} witness AAAAAA==\n"), NoteRefused::Malformed),
        (format!("{good}{signature}"), NoteRefused::Repeated),
        (many, NoteRefused::TooManySignatures),
        (format!("{unsigned}\u{2014} audit.example.com {short}\n"), NoteRefused::BadSignature),
        (good.replacen("42", "43", 1), NoteRefused::BadSignature),
        (format!(" {good}"), NoteRefused::BadSignature),
        ("x".repeat(MAX_NOTE_BYTES + 1), NoteRefused::TooLong),
    ] {
        assert_eq!(verify(note.as_bytes(), &key()), Err(reason), "{note:?}");
    }
    assert_eq!(verify(b"\xff\n\n", &key()), Err(NoteRefused::Malformed));
}

proptest! {
    #[test]
    fn no_flipped_bit_goes_unnoticed(bit in any::<prop::sample::Index>()) {
        let mut bytes = note().into_bytes();
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(verify(&bytes, &key()).is_err());
    }

    #[test]
    fn arbitrary_text_never_panics(text in "[\u{2014} a\nA=+/]{0,60}") {
        prop_assert!(verify(text.as_bytes(), &key()).is_err());
    }
}

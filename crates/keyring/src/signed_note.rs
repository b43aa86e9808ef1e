//! C2SP signed notes: a text, an empty line, and one line for each signature.
//!
//! ```text
//! audit.example.com/7f3c          ┐
//! 1042                            │ the text: what is signed, with its last line feed
//! zSt8…=                          ┘
//!                                   an empty line
//! — audit.example.com x0Zk…=        em dash, key name, base64 of key hash and signature
//! ```
//!
//! It knows nothing of what a text says; checkpoints are `ledger`'s. What must stay true: what is returned as verified
//! is byte for byte what was signed, and there is one spelling of each signature only. Signatures by keys that are
//! not asked for are passed over, as the specification has it, but even those must have the right form.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use crate::signing::{AuditSigner, KeyHash, KeyName, VerifyingKey};

/// The longest note that is read, in bytes. A checkpoint has about 300.
pub const MAX_NOTE_BYTES: usize = 64 * 1024;

/// The most signature lines that are read: one for each key of a rotation and some witnesses.
pub const MAX_SIGNATURES: usize = 16;

const SIGNATURE_START: &str = "\u{2014} ";
const HASH_BYTES: usize = 4;

/// Why a text cannot be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoteNotSigned {
    /// It is empty or its last line has no line feed.
    #[error("a note's text ends with a line feed")]
    Unterminated,
    /// It has a control character other than line feed.
    #[error("a note's text has no control characters but line feeds")]
    ControlCharacter,
    /// With its signature it would be longer than [`MAX_NOTE_BYTES`].
    #[error("a note has at most {MAX_NOTE_BYTES} bytes")]
    TooLong,
}

/// Why a note does not verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoteRefused {
    /// Longer than [`MAX_NOTE_BYTES`].
    #[error("the note is longer than {MAX_NOTE_BYTES} bytes")]
    TooLong,
    /// Not a text, an empty line, and complete signature lines.
    #[error("the note is not a text, an empty line and signature lines")]
    Malformed,
    /// More than [`MAX_SIGNATURES`] lines.
    #[error("the note has more than {MAX_SIGNATURES} signatures")]
    TooManySignatures,
    /// No signature line names the key.
    #[error("the note is not signed by the key that was asked for")]
    NotSignedByKey,
    /// More than one line names the key, which no honest signer writes.
    #[error("the note names the key more than once")]
    Repeated,
    /// A line names the key, but the signature is not by it.
    #[error("the note's signature does not verify: text or signature was changed")]
    BadSignature,
}

/// Signs `text` and returns the whole note.
///
/// # Errors
/// [`NoteNotSigned`] if `text` cannot be the text of a note.
pub fn sign(text: &str, signer: &AuditSigner) -> Result<String, NoteNotSigned> {
    if !text.ends_with('\n') {
        return Err(NoteNotSigned::Unterminated);
    }
    if has_control_characters(text) {
        return Err(NoteNotSigned::ControlCharacter);
    }
    let KeyHash(hash) = signer.verifying_key().hash();
    let signature = STANDARD.encode([&hash[..], &signer.sign(text.as_bytes())].concat());
    let note = format!("{text}\n{SIGNATURE_START}{} {signature}\n", signer.name());
    if note.len() > MAX_NOTE_BYTES {
        return Err(NoteNotSigned::TooLong);
    }
    Ok(note)
}

/// The text of `note`, if `key` signed it.
///
/// # Errors
/// [`NoteRefused`].
pub fn verify<'n>(note: &'n [u8], key: &VerifyingKey) -> Result<&'n str, NoteRefused> {
    if note.len() > MAX_NOTE_BYTES {
        return Err(NoteRefused::TooLong);
    }
    let note = std::str::from_utf8(note).map_err(|_| NoteRefused::Malformed)?;
    if has_control_characters(note) {
        return Err(NoteRefused::Malformed);
    }
    let end_of_text = note.rfind("\n\n").ok_or(NoteRefused::Malformed)? + 1;
    let (text, signatures) = (&note[..end_of_text], &note[end_of_text + 1..]);
    let lines = signatures.strip_suffix('\n').ok_or(NoteRefused::Malformed)?;

    let mut found = None;
    for (index, line) in lines.split('\n').enumerate() {
        if index == MAX_SIGNATURES {
            return Err(NoteRefused::TooManySignatures);
        }
        let line = SignatureLine::parse(line).ok_or(NoteRefused::Malformed)?;
        if !line.names(key) {
            continue;
        }
        if found.replace(line).is_some() {
            return Err(NoteRefused::Repeated);
        }
    }
    let found = found.ok_or(NoteRefused::NotSignedByKey)?;
    let signature = found.signature.as_slice().try_into().map_err(|_| NoteRefused::BadSignature)?;
    if !key.verifies(text.as_bytes(), signature) {
        return Err(NoteRefused::BadSignature);
    }
    Ok(text)
}

struct SignatureLine {
    name: KeyName,
    hash: KeyHash,
    /// 64 bytes for Ed25519; other kinds of keys have other lengths.
    signature: Vec<u8>,
}

impl SignatureLine {
    fn parse(line: &str) -> Option<Self> {
        let (name, blob) = line.strip_prefix(SIGNATURE_START)?.split_once(' ')?;
        let blob = STANDARD.decode(blob).ok()?;
        let (hash, signature) = blob.split_first_chunk::<HASH_BYTES>()?;
        if signature.is_empty() {
            return None;
        }
        Some(Self { name: name.parse().ok()?, hash: KeyHash(*hash), signature: signature.to_vec() })
    }

    fn names(&self, key: &VerifyingKey) -> bool {
        self.name == *key.name() && self.hash == key.hash()
    }
}

/// Anything below U+0020 but line feed; the specification forbids no more than these.
fn has_control_characters(text: &str) -> bool {
    text.bytes().any(|byte| byte < b' ' && byte != b'\n')
}

#[cfg(test)]
mod tests;

//! The cluster's audit signing key and its public half.
//!
//! Ed25519 (RFC 8032). The key is derived from the keyring's lasting key, so every node signs alike and an archive
//! stays verifiable through rotations. Verification is strict: no small-order keys, no malleable signatures. What
//! must stay true: a key signs only notes (`signed_note`), never bytes that somebody else could choose to mean more.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{PUBLIC_KEY_LENGTH, SIGNATURE_LENGTH, Signature, Signer, SigningKey};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::keyring::Keyring;

/// The longest key name, in bytes: the longest host name there is.
pub const MAX_KEY_NAME_BYTES: usize = 253;

const LABEL: &str = "audit signing";
/// The signature type of Ed25519 in C2SP signed notes.
const TYPE_ED25519: u8 = 1;

/// The name of a signing key: what signs, such as `audit.example.com`. Not empty, no white space, no control
/// character, no `+` (C2SP signed-note, "Format").
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyName(String);

/// The text is no key name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "a key name has 1 to {MAX_KEY_NAME_BYTES} bytes and neither white space nor control characters nor `+`"
)]
pub struct KeyNameRefused;

/// The first bytes of a hash of name and key, by which a signature line names its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyHash(pub [u8; 4]);

/// Signs the cluster's checkpoints.
pub struct AuditSigner {
    name: KeyName,
    key: SigningKey,
}

/// The public half, to be given to whoever verifies. Its text form is `name+hash+key`, the `vkey` of C2SP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
    name: KeyName,
    key: ed25519_dalek::VerifyingKey,
}

/// Why a text is no verifying key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum VerifyingKeyRefused {
    /// Not of the form `name+hash+key`.
    #[error("a verifying key has the form `name+hash+key`; check that it was copied whole")]
    Malformed,
    /// The name is no key name.
    #[error("the verifying key's name is not allowed")]
    Name(#[from] KeyNameRefused),
    /// A kind of key other than Ed25519.
    #[error("the verifying key is of type {kind}, and only type {TYPE_ED25519} (Ed25519) is known")]
    Kind {
        /// The type byte.
        kind: u8,
    },
    /// The bytes are no point on the curve, or one that verifies what nobody signed.
    #[error("the verifying key is not a usable Ed25519 key")]
    Key,
    /// The hash does not belong to name and key, as after a typing error.
    #[error("the verifying key's hash does not match its name and key; check that it was copied whole")]
    Hash,
}

impl KeyName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = KeyNameRefused;

    fn from_str(text: &str) -> Result<Self, KeyNameRefused> {
        let forbidden = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if text.is_empty() || text.len() > MAX_KEY_NAME_BYTES || text.contains(forbidden) {
            return Err(KeyNameRefused);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl AuditSigner {
    /// The name it signs under.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The public half.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey { name: self.name.clone(), key: self.key.verifying_key() }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_LENGTH] {
        self.key.sign(message).to_bytes()
    }
}

impl VerifyingKey {
    /// The name it verifies for.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// SHA-256 of name, line feed, type byte and key, its first four bytes (C2SP signed-note, "Signatures").
    pub fn hash(&self) -> KeyHash {
        let mut hash = Sha256::new();
        hash.update(self.name.as_str());
        hash.update([b'\n', TYPE_ED25519]);
        hash.update(self.key.as_bytes());
        let digest: [u8; 32] = hash.finalize().into();
        KeyHash([digest[0], digest[1], digest[2], digest[3]])
    }

    /// The 32 bytes of the Ed25519 public key.
    pub fn as_bytes(&self) -> &[u8; PUBLIC_KEY_LENGTH] {
        self.key.as_bytes()
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8; SIGNATURE_LENGTH]) -> bool {
        self.key.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = u32::from_be_bytes(self.hash().0);
        let key = STANDARD.encode([&[TYPE_ED25519], &self.as_bytes()[..]].concat());
        write!(formatter, "{}+{hash:08x}+{key}", self.name)
    }
}

impl FromStr for VerifyingKey {
    type Err = VerifyingKeyRefused;

    fn from_str(text: &str) -> Result<Self, VerifyingKeyRefused> {
        let (name, rest) = text.split_once('+').ok_or(VerifyingKeyRefused::Malformed)?;
        let (hash, key) = rest.split_once('+').ok_or(VerifyingKeyRefused::Malformed)?;
        let key = STANDARD.decode(key).map_err(|_| VerifyingKeyRefused::Malformed)?;
        let (kind, key) = key.split_first().ok_or(VerifyingKeyRefused::Malformed)?;
        if *kind != TYPE_ED25519 {
            return Err(VerifyingKeyRefused::Kind { kind: *kind });
        }
        let key: &[u8; PUBLIC_KEY_LENGTH] = key.try_into().map_err(|_| VerifyingKeyRefused::Malformed)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(key).map_err(|_| VerifyingKeyRefused::Key)?;
        if key.is_weak() {
            return Err(VerifyingKeyRefused::Key);
        }
        let parsed = Self { name: name.parse()?, key };
        if format!("{:08x}", u32::from_be_bytes(parsed.hash().0)) != hash {
            return Err(VerifyingKeyRefused::Hash);
        }
        Ok(parsed)
    }
}

impl Keyring {
    /// The signer of this cluster's checkpoints, under `name`. Derive it once and keep it.
    pub fn audit_signer(&self, name: KeyName) -> AuditSigner {
        let seed = self.lasting().derive(LABEL);
        AuditSigner { name, key: SigningKey::from_bytes(seed.expose()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::fixture::{keyring, keyring_with_versions};

    fn signer() -> AuditSigner {
        keyring(1).audit_signer("audit.example.com".parse().unwrap())
    }

    #[test]
    fn every_node_signs_with_the_same_key_through_rotations() {
        let rotated = keyring_with_versions(1, 3).audit_signer("audit.example.com".parse().unwrap());
        assert_eq!(rotated.verifying_key(), signer().verifying_key());
        assert_ne!(
            keyring(2).audit_signer("audit.example.com".parse().unwrap()).verifying_key(),
            signer().verifying_key()
        );
    }

    #[test]
    fn a_verifying_key_comes_back_from_its_text() {
        let key = signer().verifying_key();
        assert_eq!(key.to_string().parse(), Ok(key));
    }

    #[test]
    fn a_signature_covers_every_bit_of_the_message() {
        let (signer, key) = (signer(), signer().verifying_key());
        let signature = signer.sign(b"message");
        assert!(key.verifies(b"message", &signature));
        assert!(!key.verifies(b"messagf", &signature));
        for bit in 0..SIGNATURE_LENGTH * 8 {
            let mut forged = signature;
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.verifies(b"message", &forged), "bit {bit}");
        }
    }

    #[test]
    fn a_malformed_verifying_key_is_refused_with_its_reason() {
        let good = signer().verifying_key().to_string();
        let [name, hash, key] =
            good.splitn(3, '+').collect::<Vec<_>>().try_into().ok().unwrap_or(["", "", ""]);
        let other_kind = STANDARD.encode([&[2], &signer().verifying_key().as_bytes()[..]].concat());
        let weak = STANDARD.encode([&[TYPE_ED25519][..], &[1], &[0; 31]].concat());
        for (text, reason) in [
            (String::new(), VerifyingKeyRefused::Malformed),
            (format!("{name}+{hash}"), VerifyingKeyRefused::Malformed),
            (format!("{name}+{hash}+!"), VerifyingKeyRefused::Malformed),
            (format!("{name}+{hash}+AQID"), VerifyingKeyRefused::Malformed),
            (format!("{name}+{hash}+{other_kind}"), VerifyingKeyRefused::Kind { kind: 2 }),
            (format!("{name}+{hash}+{weak}"), VerifyingKeyRefused::Key),
            (format!("+{hash}+{key}"), VerifyingKeyRefused::Name(KeyNameRefused)),
            (format!("other+{hash}+{key}"), VerifyingKeyRefused::Hash),
            (format!("{name}+{}+{key}", hash.to_uppercase() + "0"), VerifyingKeyRefused::Hash),
        ] {
            assert_eq!(text.parse::<VerifyingKey>(), Err(reason), "{text}");
        }
    }

    #[test]
    fn key_names_have_no_spaces_and_no_plus() {
        for name in ["a", "audit.example.com/7", "é", &"x".repeat(MAX_KEY_NAME_BYTES)] {
            assert!(name.parse::<KeyName>().is_ok(), "{name}");
        }
        for name in ["", "a b", "a+b", "a\n", "a\u{2003}b", "a\u{7f}", &"x".repeat(MAX_KEY_NAME_BYTES + 1)] {
            assert_eq!(name.parse::<KeyName>(), Err(KeyNameRefused), "{name:?}");
        }
    }
}

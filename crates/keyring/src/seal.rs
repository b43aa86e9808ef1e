//! Sealing of records that hold secrets, for Raft, snapshots and backups.
//!
//! Each record has a data key of its own, wrapped under the current key version; so a rotation rewraps 32 bytes a
//! record, and two records never share a key. Both layers are XChaCha20-Poly1305 and bound to the keyring, the
//! version, and the [`Aad`] of the record. What must stay true: a ciphertext moved to another record, server, origin
//! or version does not open (FAULTS D22), and the byte form of version 1 never changes (`tests/golden`).

use seams::Entropy;
use thiserror::Error;

use crate::keyring::Keyring;
use crate::keyring_id::KeyringId;
use crate::record::{KeyVersion, WRAPPED_KEY_BYTES};
use crate::secret::Secret;
use crate::symmetric::{NONCE_BYTES, SymmetricKey, TAG_BYTES};

/// The longest secret that is sealed, in bytes. Credentials are a few KiB at most; the bound keeps one command of
/// the authority, which carries the ciphertext, small.
pub const MAX_SEALED_PLAINTEXT_BYTES: usize = 64 * 1024;

const FORMAT: u8 = 1;
const HEAD_BYTES: usize = 1 + 4 + NONCE_BYTES + WRAPPED_KEY_BYTES + NONCE_BYTES;
const MAX_SEALED_BYTES: usize = HEAD_BYTES + MAX_SEALED_PLAINTEXT_BYTES + TAG_BYTES;

const KEY_LABEL: &str = "portcullis/v1/data key";
const RECORD_LABEL: &str = "portcullis/v1/record";

/// What a ciphertext is bound to besides its keyring. Opening takes the same values again, from where the record was
/// found, so a ciphertext in the wrong place does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aad<'a> {
    /// The kind of record, such as `credential`.
    pub kind: &'a str,
    /// The id of the record.
    pub id: &'a str,
    /// The origin (scheme, host, port) that the secret may be sent to; empty for a secret that is sent nowhere.
    pub origin: &'a str,
    /// Counts the values that the record has had, so that an older one cannot be put back.
    pub version: u64,
}

/// A sealed secret. It may be shown, stored and sent: it opens only with the keyring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    key_version: KeyVersion,
    key_nonce: [u8; NONCE_BYTES],
    wrapped_key: [u8; WRAPPED_KEY_BYTES],
    nonce: [u8; NONCE_BYTES],
    ciphertext: Vec<u8>,
}

/// The secret is too long to be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the secret has {len} bytes, and at most {MAX_SEALED_PLAINTEXT_BYTES} can be stored")]
pub struct SealRefused {
    /// Its length in bytes.
    pub len: usize,
}

/// Why a sealed secret does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OpenRefused {
    /// The keyring has no such key version.
    #[error(
        "it is sealed under key version {version}, which this keyring does not have: load the current keyring"
    )]
    UnknownKeyVersion {
        /// The version it names.
        version: KeyVersion,
    },
    /// It was sealed under another keyring or for another place, or was changed. Which of these cannot be known.
    #[error("it was not sealed by this keyring for this record, or it was changed: enter the secret again")]
    NotAuthentic,
}

/// Why bytes are not a sealed secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SealedMalformed {
    /// A format that this release does not know.
    #[error("sealed format {format} is unknown to this release")]
    Format {
        /// The first byte.
        format: u8,
    },
    /// Shorter than the shortest or longer than the longest sealed secret.
    #[error("{len} bytes are not a sealed secret")]
    Length {
        /// The length in bytes.
        len: usize,
    },
}

impl Keyring {
    /// Seals `plaintext` for the record that `aad` describes, under the current key version.
    ///
    /// # Errors
    /// [`SealRefused`] above [`MAX_SEALED_PLAINTEXT_BYTES`].
    pub fn seal(
        &self,
        aad: &Aad<'_>,
        plaintext: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Sealed, SealRefused> {
        if plaintext.len() > MAX_SEALED_PLAINTEXT_BYTES {
            return Err(SealRefused { len: plaintext.len() });
        }
        let (key_version, version_key) = self.current();
        let data_key = SymmetricKey::random(entropy);
        let key_aad = aad.bound(KEY_LABEL, self.id(), key_version);
        let (key_nonce, wrapped_key) = version_key.seal(&key_aad, data_key.expose(), entropy);
        let record_aad = aad.bound(RECORD_LABEL, self.id(), key_version);
        let (nonce, ciphertext) = data_key.seal(&record_aad, plaintext, entropy);
        let wrapped_key = wrapped_key.try_into().expect("a key and its tag have a fixed length");
        Ok(Sealed { key_version, key_nonce, wrapped_key, nonce, ciphertext })
    }

    /// Opens what [`Keyring::seal`] made for exactly this `aad`.
    ///
    /// # Errors
    /// [`OpenRefused`].
    pub fn open_sealed(&self, aad: &Aad<'_>, sealed: &Sealed) -> Result<Secret, OpenRefused> {
        let version = sealed.key_version;
        let version_key = self.version(version).ok_or(OpenRefused::UnknownKeyVersion { version })?;
        let key_aad = aad.bound(KEY_LABEL, self.id(), version);
        let data_key = version_key.open(&key_aad, &sealed.key_nonce, &sealed.wrapped_key);
        let data_key =
            data_key.and_then(|key| SymmetricKey::copy_of(key.expose())).ok_or(OpenRefused::NotAuthentic)?;
        let record_aad = aad.bound(RECORD_LABEL, self.id(), version);
        data_key.open(&record_aad, &sealed.nonce, &sealed.ciphertext).ok_or(OpenRefused::NotAuthentic)
    }
}

impl Aad<'_> {
    /// All that a ciphertext is bound to, as bytes with one reading: each text stands after its length.
    fn bound(&self, label: &str, keyring: KeyringId, key_version: KeyVersion) -> Vec<u8> {
        let mut bytes = Vec::new();
        for text in [label, self.kind, self.id, self.origin] {
            bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes.extend_from_slice(keyring.as_bytes());
        bytes.extend_from_slice(&key_version.0.to_be_bytes());
        bytes.extend_from_slice(&self.version.to_be_bytes());
        bytes
    }
}

impl Sealed {
    /// The key version that sealed it; a rotation looks for the older ones.
    pub fn key_version(&self) -> KeyVersion {
        self.key_version
    }

    /// The stored form: format (1), key version (4, big-endian), nonce (24) and wrapped data key (48), nonce (24),
    /// ciphertext with its tag (the rest).
    pub fn to_bytes(&self) -> Vec<u8> {
        let version = self.key_version.0.to_be_bytes();
        [&[FORMAT], &version[..], &self.key_nonce, &self.wrapped_key, &self.nonce, &self.ciphertext].concat()
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`SealedMalformed`]; whether the content is authentic shows only when it is opened.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealedMalformed> {
        let len = bytes.len();
        let (format, rest) = bytes.split_first().ok_or(SealedMalformed::Length { len })?;
        if *format != FORMAT {
            return Err(SealedMalformed::Format { format: *format });
        }
        if !(HEAD_BYTES + TAG_BYTES..=MAX_SEALED_BYTES).contains(&len) {
            return Err(SealedMalformed::Length { len });
        }
        let too_short = || SealedMalformed::Length { len };
        let (version, rest) = rest.split_first_chunk::<4>().ok_or_else(too_short)?;
        let (key_nonce, rest) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(too_short)?;
        let (wrapped_key, rest) = rest.split_first_chunk::<WRAPPED_KEY_BYTES>().ok_or_else(too_short)?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(too_short)?;
        Ok(Self {
            key_version: KeyVersion(u32::from_be_bytes(*version)),
            key_nonce: *key_nonce,
            wrapped_key: *wrapped_key,
            nonce: *nonce,
            ciphertext: ciphertext.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests;

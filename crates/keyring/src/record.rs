//! What is kept of a keyring: its id and its keys, each wrapped under the root key.
//!
//! Plain values that may be copied, replicated and backed up freely: they open nothing without the root key. For now
//! they live in a file beside it; nothing here knows where. What must stay true: the wrapping binds keyring, role and
//! version, so that no wrapped key can stand in for another, and a version once used is never removed while anything
//! names it.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use seams::Entropy;
use zeroize::Zeroizing;

use crate::key_file::{self, KeyFileDamaged};
use crate::keyring_id::KeyringId;
use crate::root::RootKey;
use crate::symmetric::{KEY_BYTES, NONCE_BYTES, SymmetricKey, TAG_BYTES};

/// Bytes of a key wrapped under another one.
pub const WRAPPED_KEY_BYTES: usize = KEY_BYTES + TAG_BYTES;

/// The most key versions a keyring holds. A rotation a week for ten years stays below it, and so does the key file
/// below its bound.
pub const MAX_KEY_VERSIONS: usize = 520;

const TITLE: &str = "portcullis-keyring v1";
const WRAP_LABEL: &[u8] = b"portcullis/v1/wrapped key";

/// Which of the keys that follow each other by rotation; the first is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyVersion(pub u32);

/// One key under the root key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// The nonce of the wrapping.
    pub nonce: [u8; NONCE_BYTES],
    /// The encrypted key and its tag.
    pub ciphertext: [u8; WRAPPED_KEY_BYTES],
}

/// All of a keyring but the root key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyringRecord {
    /// Whose keys these are.
    pub keyring: KeyringId,
    /// The key from which those are derived that must outlive every rotation: token pepper, audit signing key,
    /// argument fingerprints.
    pub lasting: WrappedKey,
    /// The keys that seal, oldest first; the last one seals what is new. At least one, at most [`MAX_KEY_VERSIONS`].
    pub versions: Vec<(KeyVersion, WrappedKey)>,
}

/// What a wrapped key is for; part of what the wrapping binds.
#[derive(Clone, Copy)]
pub(crate) enum Role {
    Lasting,
    Version(KeyVersion),
}

impl KeyVersion {
    /// The version a keyring is born with.
    pub const FIRST: Self = Self(1);
}

impl fmt::Display for KeyVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl WrappedKey {
    pub(crate) fn wrap(key: &SymmetricKey, root: &RootKey, role: Role, entropy: &dyn Entropy) -> Self {
        let (nonce, ciphertext) = root.key().seal(&wrap_aad(root.keyring(), role), key.expose(), entropy);
        let ciphertext = ciphertext.try_into().expect("a key and its tag have a fixed length");
        Self { nonce, ciphertext }
    }

    /// The key, or nothing if it was wrapped under another root key, for another role, or is damaged.
    pub(crate) fn unwrap(&self, root: &RootKey, role: Role) -> Option<SymmetricKey> {
        let key = root.key().open(&wrap_aad(root.keyring(), role), &self.nonce, &self.ciphertext)?;
        SymmetricKey::copy_of(key.expose())
    }

    fn to_text(&self) -> String {
        format!("{} {}", STANDARD.encode(self.nonce), STANDARD.encode(self.ciphertext))
    }

    fn from_text(text: &str) -> Option<Self> {
        let (nonce, ciphertext) = text.split_once(' ')?;
        let nonce = STANDARD.decode(nonce).ok()?.try_into().ok()?;
        let ciphertext = STANDARD.decode(ciphertext).ok()?.try_into().ok()?;
        Some(Self { nonce, ciphertext })
    }
}

impl KeyringRecord {
    /// Fresh keys, wrapped under `root`.
    pub(crate) fn generate(root: &RootKey, entropy: &dyn Entropy) -> Self {
        let fresh = |role| WrappedKey::wrap(&SymmetricKey::random(entropy), root, role, entropy);
        let first = KeyVersion::FIRST;
        Self {
            keyring: root.keyring(),
            lasting: fresh(Role::Lasting),
            versions: vec![(first, fresh(Role::Version(first)))],
        }
    }

    /// The content of the file that holds it.
    pub(crate) fn to_text(&self) -> Zeroizing<String> {
        let keyring = self.keyring.to_string();
        let lasting = self.lasting.to_text();
        let versions: Vec<String> =
            self.versions.iter().map(|(version, key)| format!("{version} {}", key.to_text())).collect();
        let mut fields = vec![("keyring", keyring.as_str()), ("lasting", lasting.as_str())];
        fields.extend(versions.iter().map(|text| ("version", text.as_str())));
        key_file::compose(TITLE, &fields)
    }

    pub(crate) fn from_text(text: &[u8]) -> Result<Self, KeyFileDamaged> {
        let malformed = |field| KeyFileDamaged::Field { field };
        let fields = key_file::fields(TITLE, text)?;
        let [("keyring", keyring), ("lasting", lasting), rest @ ..] = fields.as_slice() else {
            return Err(malformed("keyring"));
        };
        let keyring = keyring.parse().map_err(|_| malformed("keyring"))?;
        let lasting = WrappedKey::from_text(lasting).ok_or(malformed("lasting"))?;
        let versions: Option<Vec<_>> = rest.iter().map(|(name, value)| version_line(name, value)).collect();
        let versions = versions.ok_or(malformed("version"))?;
        let ascending = versions.is_sorted_by(|(one, _), (next, _)| one < next);
        if versions.is_empty() || versions.len() > MAX_KEY_VERSIONS || !ascending {
            return Err(malformed("version"));
        }
        Ok(Self { keyring, lasting, versions })
    }
}

fn version_line(name: &str, value: &str) -> Option<(KeyVersion, WrappedKey)> {
    let (number, key) = value.split_once(' ')?;
    let canonical = number.parse().ok().filter(|parsed: &u32| *parsed > 0 && parsed.to_string() == number);
    if name != "version" {
        return None;
    }
    Some((KeyVersion(canonical?), WrappedKey::from_text(key)?))
}

fn wrap_aad(keyring: KeyringId, role: Role) -> Vec<u8> {
    let (role, version) = match role {
        Role::Lasting => (b'l', 0),
        Role::Version(version) => (b'v', version.0),
    };
    [WRAP_LABEL, keyring.as_bytes(), &[role], &version.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use seams::SeededEntropy;

    use super::*;

    fn root(seed: u64) -> RootKey {
        RootKey::generate(KeyringId::from_bytes([7; 16]), &SeededEntropy::new(seed))
    }

    fn record() -> KeyringRecord {
        KeyringRecord::generate(&root(1), &SeededEntropy::new(2))
    }

    #[test]
    fn the_text_form_comes_back() {
        let mut record = record();
        record.versions.push((KeyVersion(7), record.versions[0].1.clone()));
        assert_eq!(KeyringRecord::from_text(record.to_text().as_bytes()), Ok(record));
    }

    #[test]
    fn a_wrapped_key_opens_only_under_its_root_and_in_its_role() {
        let record = record();
        let (version, first) = &record.versions[0];
        assert!(first.unwrap(&root(1), Role::Version(*version)).is_some());
        assert!(first.unwrap(&root(1), Role::Version(KeyVersion(2))).is_none());
        assert!(first.unwrap(&root(1), Role::Lasting).is_none());
        assert!(first.unwrap(&root(2), Role::Version(*version)).is_none());
        assert!(record.lasting.unwrap(&root(1), Role::Lasting).is_some());
    }

    #[test]
    fn lines_missing_out_of_order_or_malformed_are_refused() {
        let id = "07".repeat(16);
        let key = record().lasting.to_text();
        let (one, two) = (format!("1 {key}"), format!("2 {key}"));
        let (padded, zero, short) = (format!("01 {key}"), format!("0 {key}"), key[1..].to_owned());
        let head = [("keyring", id.as_str()), ("lasting", key.as_str())];
        let with = |versions: &[(&'static str, &str)]| {
            let fields: Vec<(&str, &str)> = head.iter().copied().chain(versions.iter().copied()).collect();
            KeyringRecord::from_text(key_file::compose(TITLE, &fields).as_bytes())
        };

        assert!(with(&[("version", &one), ("version", &two)]).is_ok());
        let refused = Err(KeyFileDamaged::Field { field: "version" });
        assert_eq!(with(&[]), refused);
        assert_eq!(with(&[("version", &two), ("version", &one)]), refused);
        assert_eq!(with(&[("version", &one), ("version", &one)]), refused);
        assert_eq!(with(&[("version", &padded)]), refused);
        assert_eq!(with(&[("version", &zero)]), refused);
        assert_eq!(with(&[("version", &short)]), refused);
        assert_eq!(with(&[("other", &one)]), refused);
    }

    #[test]
    fn the_largest_record_fits_its_file() {
        let mut record = record();
        let key = record.lasting.clone();
        let last = u32::MAX;
        let count = u32::try_from(MAX_KEY_VERSIONS).unwrap();
        record.versions = (0..count).map(|index| (KeyVersion(last - count + index), key.clone())).collect();
        assert!(record.to_text().len() as u64 <= key_file::MAX_KEY_FILE_BYTES);
        assert!(KeyringRecord::from_text(record.to_text().as_bytes()).is_ok());
    }
}

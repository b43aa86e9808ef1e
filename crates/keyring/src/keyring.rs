//! The unlocked keyring of a node: its keys in memory, and which of them does what.
//!
//! It holds keys and hands out narrower things: sealing (`seal`), sessions (`session`), the pepper, the audit signer,
//! fingerprints. What must stay true: no key leaves it, and a record is always opened by the version that sealed it.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::keyring_id::KeyringId;
use crate::record::{KeyVersion, KeyringRecord, Role};
use crate::root::RootKey;
use crate::symmetric::SymmetricKey;

/// A cluster's keys, unlocked. Wiped on drop; shared by `Arc`.
pub struct Keyring {
    id: KeyringId,
    lasting: SymmetricKey,
    versions: BTreeMap<KeyVersion, SymmetricKey>,
    current: KeyVersion,
}

/// Why a root key does not unlock a keyring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UnlockRefused {
    /// The root key says that it belongs to another keyring.
    #[error(
        "the root key belongs to keyring {root}, and these keys to keyring {keyring}: put the right pair together"
    )]
    AnotherKeyring {
        /// Whose root key it is.
        root: KeyringId,
        /// Whose keys they are.
        keyring: KeyringId,
    },
    /// The lasting key was not wrapped under this root key, or is damaged.
    #[error(
        "the root key of keyring {keyring} does not open it: restore both key files from the same backup"
    )]
    Lasting {
        /// Whose keys they are.
        keyring: KeyringId,
    },
    /// A key version was not wrapped under this root key, or is damaged.
    #[error(
        "key version {version} of keyring {keyring} does not open: restore both key files from the same backup"
    )]
    Version {
        /// Whose keys they are.
        keyring: KeyringId,
        /// Which of them.
        version: KeyVersion,
    },
    /// There is no key version at all.
    #[error("keyring {keyring} has no key version: restore both key files from the same backup")]
    Empty {
        /// Which keyring.
        keyring: KeyringId,
    },
}

impl Keyring {
    /// Opens the wrapped keys with the root key.
    ///
    /// # Errors
    /// [`UnlockRefused`]; a node that gets it must not serve (FAULTS D24).
    pub fn unlock(root: &RootKey, record: &KeyringRecord) -> Result<Self, UnlockRefused> {
        let keyring = record.keyring;
        if root.keyring() != keyring {
            return Err(UnlockRefused::AnotherKeyring { root: root.keyring(), keyring });
        }
        let lasting = record.lasting.unwrap(root, Role::Lasting).ok_or(UnlockRefused::Lasting { keyring })?;
        let mut versions = BTreeMap::new();
        for (version, wrapped) in &record.versions {
            let key = wrapped.unwrap(root, Role::Version(*version));
            let key = key.ok_or(UnlockRefused::Version { keyring, version: *version })?;
            versions.insert(*version, key);
        }
        let current = *versions.keys().next_back().ok_or(UnlockRefused::Empty { keyring })?;
        Ok(Self { id: keyring, lasting, versions, current })
    }

    /// Which keyring this is.
    pub fn id(&self) -> KeyringId {
        self.id
    }

    /// The version under which new records are sealed.
    pub fn current_version(&self) -> KeyVersion {
        self.current
    }

    /// The key from which purposes derive theirs that outlive rotations.
    pub(crate) fn lasting(&self) -> &SymmetricKey {
        &self.lasting
    }

    /// The key of one version, if the keyring has it.
    pub(crate) fn version(&self, version: KeyVersion) -> Option<&SymmetricKey> {
        self.versions.get(&version)
    }

    /// The version that seals now, and its key.
    pub(crate) fn current(&self) -> (KeyVersion, &SymmetricKey) {
        (self.current, self.versions.get(&self.current).expect("unlock took it from these very keys"))
    }
}

/// Keyrings for the tests of this crate, the same for the same seed.
#[cfg(test)]
pub(crate) mod fixture {
    use seams::SeededEntropy;

    use super::*;
    use crate::record::WrappedKey;

    pub(crate) fn keyring(seed: u64) -> Keyring {
        keyring_with_versions(seed, 1)
    }

    /// A keyring that was rotated until it had `count` versions.
    pub(crate) fn keyring_with_versions(seed: u64, count: u32) -> Keyring {
        let (root, record) = parts(seed, count);
        Keyring::unlock(&root, &record).expect("they were made together")
    }

    pub(crate) fn parts(seed: u64, count: u32) -> (RootKey, KeyringRecord) {
        let entropy = SeededEntropy::new(seed);
        let root = RootKey::generate(KeyringId::random(&entropy), &entropy);
        let mut record = KeyringRecord::generate(&root, &entropy);
        for version in (2..=count).map(KeyVersion) {
            let key = SymmetricKey::random(&entropy);
            record.versions.push((version, WrappedKey::wrap(&key, &root, Role::Version(version), &entropy)));
        }
        (root, record)
    }
}

#[cfg(test)]
mod tests {
    use seams::SeededEntropy;

    use super::fixture::{keyring_with_versions, parts};
    use super::*;

    #[test]
    fn the_latest_version_is_current() {
        assert_eq!(keyring_with_versions(1, 1).current_version(), KeyVersion::FIRST);
        assert_eq!(keyring_with_versions(1, 3).current_version(), KeyVersion(3));
    }

    /// D24: the root key of another keyring is named as such.
    #[test]
    fn d24_the_root_key_of_another_keyring_is_refused() {
        let (_, record) = parts(1, 1);
        let (other, _) = parts(2, 1);
        let refused = UnlockRefused::AnotherKeyring { root: other.keyring(), keyring: record.keyring };
        assert_eq!(Keyring::unlock(&other, &record).err(), Some(refused));
    }

    /// D24: a wrong key under the right id opens nothing.
    #[test]
    fn d24_a_wrong_root_key_is_refused() {
        let (_, record) = parts(1, 1);
        let wrong = RootKey::generate(record.keyring, &SeededEntropy::new(99));
        assert_eq!(
            Keyring::unlock(&wrong, &record).err(),
            Some(UnlockRefused::Lasting { keyring: record.keyring })
        );
    }

    #[test]
    fn a_key_version_under_another_number_is_refused() {
        let (root, mut record) = parts(1, 2);
        let keyring = record.keyring;
        record.versions[1].0 = KeyVersion(9);
        let refused = UnlockRefused::Version { keyring, version: KeyVersion(9) };
        assert_eq!(Keyring::unlock(&root, &record).err(), Some(refused));
        record.versions.clear();
        assert_eq!(Keyring::unlock(&root, &record).err(), Some(UnlockRefused::Empty { keyring }));
    }
}

//! The root key: the one secret that is on no wire, in no log, no snapshot and no backup of the cluster.
//!
//! It wraps the other keys and nothing else, so that changing it later rewrites a few lines and no record. What must
//! stay true: it is never replaced silently, because a new one opens nothing that the old one sealed; and a file that
//! others can read is refused, because then it is no secret any more (FAULTS D24).

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use seams::disk::OTHERS_MASK;
use seams::{Disk, Entropy};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::key_file::{self, KeyFileDamaged, Unreadable};
use crate::keyring_id::KeyringId;
use crate::symmetric::SymmetricKey;

const TITLE: &str = "portcullis-root-key v1";

/// The key under which a keyring's keys are wrapped, and the id of that keyring.
pub struct RootKey {
    keyring: KeyringId,
    key: SymmetricKey,
}

/// Why there is no root key; each message says what to do.
#[derive(Debug, Error)]
pub enum RootKeyNotLoaded {
    /// There is no such file.
    #[error(
        "there is no root key at {}: restore it from your backup (a new one cannot open what was sealed under it)",
        path.display()
    )]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The file's mode lets others read, write or run it.
    #[error(
        "others than its owner can use the root key at {} (mode {mode:04o}): run `chmod 600 {}`",
        path.display(),
        path.display()
    )]
    OpenToOthers {
        /// Where it is.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The operating system did not give the file.
    #[error("the root key at {} could not be read: check that its owner is the user that runs portcullis", path.display())]
    Unreadable {
        /// Where it is.
        path: PathBuf,
        /// What the operating system answered.
        #[source]
        source: io::Error,
    },
    /// The file is there, but it is not a whole root key.
    #[error("the root key at {} is damaged: restore it from your backup", path.display())]
    Damaged {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: KeyFileDamaged,
    },
}

impl RootKey {
    /// A fresh root key for a fresh keyring. The caller checks that there is none yet.
    pub(crate) fn generate(keyring: KeyringId, entropy: &dyn Entropy) -> Self {
        Self { keyring, key: SymmetricKey::random(entropy) }
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`RootKeyNotLoaded`]; a node that gets it must not serve.
    pub fn load(path: &Path, disk: &dyn Disk) -> Result<Self, RootKeyNotLoaded> {
        let located = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => RootKeyNotLoaded::Missing { path: path.to_owned() },
            _ => RootKeyNotLoaded::Unreadable { path: path.to_owned(), source },
        };
        let mode = disk.permissions(path).map_err(located)?;
        if mode & OTHERS_MASK != 0 {
            return Err(RootKeyNotLoaded::OpenToOthers { path: path.to_owned(), mode });
        }
        let damaged = |source| RootKeyNotLoaded::Damaged { path: path.to_owned(), source };
        let text = key_file::read(disk, path).map_err(|unreadable| match unreadable {
            Unreadable::Io(source) => located(source),
            Unreadable::Damaged(source) => damaged(source),
        })?;
        Self::from_text(&text).map_err(damaged)
    }

    /// The keyring that it belongs to.
    pub fn keyring(&self) -> KeyringId {
        self.keyring
    }

    /// The key that wraps; inside the crate only.
    pub(crate) fn key(&self) -> &SymmetricKey {
        &self.key
    }

    /// The content of the file, wiped on drop.
    pub(crate) fn to_text(&self) -> Zeroizing<String> {
        let key = Zeroizing::new(STANDARD.encode(self.key.expose()));
        key_file::compose(TITLE, &[("keyring", &self.keyring.to_string()), ("key", &key)])
    }

    fn from_text(text: &[u8]) -> Result<Self, KeyFileDamaged> {
        let fields = key_file::fields(TITLE, text)?;
        let [("keyring", keyring), ("key", key)] = fields.as_slice() else {
            return Err(KeyFileDamaged::Field { field: "key" });
        };
        let keyring = keyring.parse().map_err(|_| KeyFileDamaged::Field { field: "keyring" })?;
        let key =
            STANDARD.decode(key).map(Zeroizing::new).ok().and_then(|bytes| SymmetricKey::copy_of(&bytes));
        Ok(Self { keyring, key: key.ok_or(KeyFileDamaged::Field { field: "key" })? })
    }
}

#[cfg(test)]
mod tests {
    use seams::{SeededEntropy, SimulatedDisk};

    use super::*;

    const PATH: &str = "/keys/root.key";

    fn root() -> RootKey {
        RootKey::generate(KeyringId::from_bytes([0xab; 16]), &SeededEntropy::new(1))
    }

    fn disk_with(text: &[u8]) -> SimulatedDisk {
        let disk = SimulatedDisk::new();
        disk.create_dir_all(Path::new("/keys")).unwrap();
        disk.create_new(Path::new(PATH)).unwrap().append(text).unwrap();
        disk
    }

    fn refusal(disk: &SimulatedDisk) -> RootKeyNotLoaded {
        RootKey::load(Path::new(PATH), disk).err().expect("the load is refused")
    }

    #[test]
    fn a_written_root_key_loads() {
        let loaded = RootKey::load(Path::new(PATH), &disk_with(root().to_text().as_bytes()));
        let loaded = loaded.expect("it was just written");
        assert_eq!(loaded.keyring(), root().keyring());
        assert_eq!(loaded.key.expose(), root().key.expose());
    }

    /// D24: a missing root key is its own error, and says what to do.
    #[test]
    fn d24_a_missing_root_key_is_named_with_what_to_do() {
        let refused = refusal(&SimulatedDisk::new());
        assert!(matches!(refused, RootKeyNotLoaded::Missing { .. }));
        assert!(refused.to_string().contains("/keys/root.key: restore it from your backup"), "{refused}");
    }

    /// D24: one that others could have read is refused, with the command that helps.
    #[test]
    fn d24_a_root_key_open_to_others_is_refused() {
        for mode in [0o640, 0o604, 0o660, 0o601, 0o777] {
            let disk = disk_with(root().to_text().as_bytes());
            disk.set_permissions(Path::new(PATH), mode).unwrap();
            let refused = refusal(&disk);
            assert!(matches!(refused, RootKeyNotLoaded::OpenToOthers { mode: seen, .. } if seen == mode));
            assert!(refused.to_string().ends_with("run `chmod 600 /keys/root.key`"), "{refused}");
        }
        let stricter = disk_with(root().to_text().as_bytes());
        stricter.set_permissions(Path::new(PATH), 0o400).unwrap();
        assert!(RootKey::load(Path::new(PATH), &stricter).is_ok());
    }

    /// D24: damage is named, and nothing of the key is.
    #[test]
    fn d24_a_damaged_root_key_is_refused() {
        let good = root().to_text();
        let short_key = STANDARD.encode([7; 31]);
        let id = "ab".repeat(16);
        let cases: [(Vec<u8>, KeyFileDamaged); 6] = [
            (Vec::new(), KeyFileDamaged::Title { expected: TITLE }),
            (good.as_bytes()[..good.len() - 1].to_vec(), KeyFileDamaged::NoChecksum),
            (good.replacen("keyring ab", "keyring ac", 1).into_bytes(), KeyFileDamaged::Checksum),
            (vec![b'x'; 65 * 1024], KeyFileDamaged::TooLong),
            (
                key_file::compose(TITLE, &[("keyring", &id), ("key", &short_key)]).as_bytes().to_vec(),
                KeyFileDamaged::Field { field: "key" },
            ),
            (
                key_file::compose(TITLE, &[("keyring", "AB"), ("key", &short_key)]).as_bytes().to_vec(),
                KeyFileDamaged::Field { field: "keyring" },
            ),
        ];
        for (text, expected) in cases {
            let RootKeyNotLoaded::Damaged { source, .. } = refusal(&disk_with(&text)) else {
                panic!("damage is told as damage: {expected}");
            };
            assert_eq!(source, expected);
        }
    }
}

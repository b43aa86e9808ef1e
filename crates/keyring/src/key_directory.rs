//! The two key files of a node and the order in which they come to be.
//!
//! `root.key` holds the root key, `keyring` the keys wrapped under it. Both are written whole and synced under names
//! that end in `.new`, and only then renamed, so that a crash at any step leaves either nothing that counts (begin
//! again), or whole files of which some wait for their name (finish). What must stay true: a key file that exists is
//! never written again, and a missing one is never made up when its sibling is there, because what was sealed under
//! the lost one would be lost silently. The caller holds the lock of the data directory.

use std::io;
use std::path::{Path, PathBuf};

use seams::{Disk, Entropy};
use thiserror::Error;

use crate::key_file::{self, KeyFileDamaged, Unreadable};
use crate::keyring::{Keyring, UnlockRefused};
use crate::keyring_id::KeyringId;
use crate::record::KeyringRecord;
use crate::root::{RootKey, RootKeyNotLoaded};

/// The name of the file with the root key.
pub const ROOT_KEY_FILE: &str = "root.key";
/// The name of the file with the wrapped keys.
pub const KEYRING_FILE: &str = "keyring";

const FILES: [&str; 2] = [ROOT_KEY_FILE, KEYRING_FILE];
const UNFINISHED: &str = ".new";

/// Why the keyring of a directory could not be opened; each message says what to do.
#[derive(Debug, Error)]
pub enum KeyringNotOpened {
    /// The root key is missing, open to others, unreadable or damaged.
    #[error("the node stays sealed without its root key")]
    Root(#[from] RootKeyNotLoaded),
    /// There is a root key, but not the keys wrapped under it.
    #[error("there is no keyring at {}: restore it from the backup that the root key is from", path.display())]
    KeyringMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The operating system did not give a file.
    #[error("{} could not be used", path.display())]
    Io {
        /// Which file or directory.
        path: PathBuf,
        /// What the operating system answered.
        #[source]
        source: io::Error,
    },
    /// The file with the wrapped keys is not whole.
    #[error("the keyring at {} is damaged: restore it from the backup that the root key is from", path.display())]
    Damaged {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: KeyFileDamaged,
    },
    /// The two files do not belong together.
    #[error("the key files in {} do not belong together", dir.display())]
    Unlock {
        /// The directory.
        dir: PathBuf,
        /// Which key does not open.
        #[source]
        source: UnlockRefused,
    },
}

/// Why a keyring could not be created.
#[derive(Debug, Error)]
pub enum KeyringNotCreated {
    /// A key file is there already, and is never overwritten.
    #[error(
        "there is already a key file at {}: it stays as it is, because what is sealed under it could not be opened \
         again; choose another directory to begin anew",
        path.display()
    )]
    Exists {
        /// Which one.
        path: PathBuf,
    },
    /// The operating system refused a step.
    #[error("{} could not be written", path.display())]
    Io {
        /// Which file or directory.
        path: PathBuf,
        /// What the operating system answered.
        #[source]
        source: io::Error,
    },
}

/// Why there is no keyring after [`Keyring::open_or_create`].
#[derive(Debug, Error)]
pub enum KeyringUnavailable {
    /// There is one, and it could not be opened.
    #[error(transparent)]
    NotOpened(#[from] KeyringNotOpened),
    /// There was none, and it could not be created.
    #[error(transparent)]
    NotCreated(#[from] KeyringNotCreated),
}

impl Keyring {
    /// Opens the keyring whose files are in `dir`, finishing a creation that was cut short after its last write.
    ///
    /// # Errors
    /// [`KeyringNotOpened`]; a node that gets it must not serve.
    pub fn open(dir: &Path, disk: &dyn Disk) -> Result<Self, KeyringNotOpened> {
        finish_creation(dir, disk)?;
        let root = RootKey::load(&dir.join(ROOT_KEY_FILE), disk)?;
        let path = dir.join(KEYRING_FILE);
        let text = key_file::read(disk, &path).map_err(|unreadable| match unreadable {
            Unreadable::Io(source) if source.kind() == io::ErrorKind::NotFound => {
                KeyringNotOpened::KeyringMissing { path: path.clone() }
            }
            Unreadable::Io(source) => KeyringNotOpened::Io { path: path.clone(), source },
            Unreadable::Damaged(source) => KeyringNotOpened::Damaged { path: path.clone(), source },
        })?;
        let record =
            KeyringRecord::from_text(&text).map_err(|source| KeyringNotOpened::Damaged { path, source })?;
        // A start that was cut short may have left names that are not durable yet; nothing may be sealed under keys
        // that a power cut could take away.
        disk.sync_dir(dir).map_err(|source| KeyringNotOpened::Io { path: dir.to_owned(), source })?;
        Self::unlock(&root, &record)
            .map_err(|source| KeyringNotOpened::Unlock { dir: dir.to_owned(), source })
    }

    /// Makes fresh keys in `dir`, which is created when missing. Durable when it returns.
    ///
    /// # Errors
    /// [`KeyringNotCreated::Exists`] if there is any key file, else what the disk refused.
    pub fn create(dir: &Path, disk: &dyn Disk, entropy: &dyn Entropy) -> Result<Self, KeyringNotCreated> {
        for name in FILES {
            let path = dir.join(name);
            if at(&path, exists(disk, &path))? {
                return Err(KeyringNotCreated::Exists { path });
            }
        }
        let root = RootKey::generate(KeyringId::random(entropy), entropy);
        let record = KeyringRecord::generate(&root, entropy);
        let keyring = Self::unlock(&root, &record).expect("the keys were wrapped under this very root key");

        at(dir, disk.create_dir_all(dir))?;
        for (name, text) in [(ROOT_KEY_FILE, root.to_text()), (KEYRING_FILE, record.to_text())] {
            let path = unfinished(dir, name);
            at(&path, write_whole(disk, &path, text.as_bytes()))?;
        }
        // Both names are durable before either counts: from here on a crash leaves something to finish.
        at(dir, disk.sync_dir(dir))?;
        for name in FILES {
            let path = unfinished(dir, name);
            at(&path, disk.rename(&path, &dir.join(name)))?;
        }
        at(dir, disk.sync_dir(dir))?;
        Ok(keyring)
    }

    /// Opens the keyring in `dir`, or creates it if neither of its files is there.
    ///
    /// # Errors
    /// [`KeyringUnavailable`]; with only one of the two files present that is what is missing, never a new keyring.
    pub fn open_or_create(
        dir: &Path,
        disk: &dyn Disk,
        entropy: &dyn Entropy,
    ) -> Result<Self, KeyringUnavailable> {
        match Self::create(dir, disk, entropy) {
            Err(KeyringNotCreated::Exists { .. }) => Ok(Self::open(dir, disk)?),
            created => Ok(created?),
        }
    }
}

/// Gives a waiting file its name when its sibling has its own already. Files that both still wait count for nothing:
/// `create` never came back, so nothing was sealed under them.
fn finish_creation(dir: &Path, disk: &dyn Disk) -> Result<(), KeyringNotOpened> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| KeyringNotOpened::Io { path, source }
    };
    let mut missing = Vec::new();
    for name in FILES {
        let path = dir.join(name);
        if !exists(disk, &path).map_err(io(&path))? {
            missing.push(name);
        }
    }
    let [name] = missing.as_slice() else { return Ok(()) };
    let waiting = unfinished(dir, name);
    if exists(disk, &waiting).map_err(io(&waiting))? {
        disk.rename(&waiting, &dir.join(name)).map_err(io(&waiting))?;
    }
    Ok(())
}

/// Writes and syncs a file that only its owner may read, over the remains of an earlier attempt.
fn write_whole(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    if exists(disk, path)? {
        disk.remove(path)?;
    }
    let mut file = disk.create_new(path)?;
    file.append(bytes)?;
    file.sync()
}

fn exists(disk: &dyn Disk, path: &Path) -> io::Result<bool> {
    match disk.len(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn at<T>(path: &Path, result: io::Result<T>) -> Result<T, KeyringNotCreated> {
    result.map_err(|source| KeyringNotCreated::Io { path: path.to_owned(), source })
}

fn unfinished(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}{UNFINISHED}"))
}

#[cfg(test)]
mod tests;

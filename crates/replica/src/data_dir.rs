//! The data directory of a node: what is where in it, and the lock that keeps a second process out.
//!
//! ```text
//!   <dir>/lock            held as long as the process lives
//!   <dir>/identity        whose directory this is
//!   <dir>/log/            the raft log: watermark, sled/
//!   <dir>/snapshots/      the two newest snapshots
//! ```
//!
//! The lock is the operating system's and ends with the process, also by `kill -9`. It is what makes one incarnation
//! of a node follow the other: as long as an old process lives, and might enforce, no new one starts.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use seams::Disk;

/// The data directory, locked.
#[derive(Debug)]
pub(crate) struct DataDir {
    root: PathBuf,
    /// Closing the file gives the lock back.
    _lock: File,
}

/// Why a data directory could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockFailed {
    /// Another process has it.
    #[error("{} is in use by another process; stop that one first, or give this one a directory of its own", path.display())]
    Held {
        /// The directory.
        path: PathBuf,
    },
    /// A file operation failed.
    #[error("cannot lock the data directory {}; check that it is a directory of this user", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
}

impl DataDir {
    /// Makes the directory if it is missing, and locks it.
    pub(crate) fn lock(root: &Path, disk: &dyn Disk) -> Result<Self, LockFailed> {
        let io = |source| LockFailed::Io { path: root.to_owned(), source };
        disk.create_dir_all(root).map_err(io)?;
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600).open(root.join("lock"));
        let file = file.map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { root: root.to_owned(), _lock: file }),
            Err(TryLockError::WouldBlock) => Err(LockFailed::Held { path: root.to_owned() }),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }

    /// The directory itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The file that says whose directory it is.
    pub(crate) fn identity(&self) -> PathBuf {
        self.root.join("identity")
    }

    /// Where the log is.
    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    /// Where the snapshots are.
    pub(crate) fn snapshots(&self) -> PathBuf {
        self.root.join("snapshots")
    }
}

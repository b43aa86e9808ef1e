//! The files of one node, by name, so that no other file spells a path.
//!
//! ```text
//!   <data dir>/
//!     keys/            root key and wrapped keys: the only secrets at rest, 0600
//!     tls/             the cluster's own certificate authority and the admin listener's certificate
//!     raft/            log, vote and snapshots
//!     wal/             the write-ahead log of calls
//!     archive/         the append-only archive; with verifier.pub all that `audit verify` needs
//!     context.toml     how this machine's command line finds the admin API
//!     operator-token   the token of `dev`'s operator; `init` prints the first one and keeps no copy
//! ```

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

/// The files of one node.
#[derive(Clone, Debug)]
pub struct DataDir {
    root: PathBuf,
}

impl DataDir {
    /// The files below `root`, which need not exist yet.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Locks the directory for this process, as long as the answer lives. Keys are made and opened only under the lock.
    pub fn lock(&self) -> Result<File> {
        std::fs::create_dir_all(&self.root)
            .with_context(|| format!("cannot create {}", self.root.display()))?;
        let lock =
            File::create(self.root.join("lock")).context("cannot create the lock of the data directory")?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => bail!(
                "another gateway runs on {}: stop it first, or choose another directory",
                self.root.display()
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", self.root.display()))
            }
        }
    }

    /// The keyring's directory.
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// The replica's directory.
    pub fn raft(&self) -> PathBuf {
        self.root.join("raft")
    }

    /// The write-ahead log's directory.
    pub fn wal(&self) -> PathBuf {
        self.root.join("wal")
    }

    /// The archive's directory.
    pub fn archive(&self) -> PathBuf {
        self.root.join("archive")
    }

    /// The certificates' directory.
    pub fn tls(&self) -> PathBuf {
        self.root.join("tls")
    }

    /// The certificate authority, which clients of the admin API trust.
    pub fn ca_certificate(&self) -> PathBuf {
        self.tls().join("ca.pem")
    }

    /// How the command line finds the admin API.
    pub fn context(&self) -> PathBuf {
        self.root.join("context.toml")
    }

    /// The token of `dev`'s operator.
    pub fn operator_token(&self) -> PathBuf {
        self.root.join("operator-token")
    }
}

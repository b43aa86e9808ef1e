//! sled, opened the one way this project uses it, and closed for certain.
//!
//! sled writes on threads of its own and gives its files back when the last of them is through, which can be after the
//! database was dropped. Whoever opens the directory again at once would find it locked, so dropping waits for that.

use std::{
    fs::File,
    io,
    ops::Deref,
    path::{Path, PathBuf},
};

/// The file in sled's directory that holds everything, and that sled locks.
const FILE_NAME: &str = "db";

/// What sled may keep in memory. The log is read at start and while it is applied, from its end.
const CACHE_BYTES: u64 = 32 * 1024 * 1024;

/// An open sled database.
#[derive(Debug)]
pub(super) struct SledFiles {
    /// Taken only by the drop.
    db: Option<sled::Db>,
    file: PathBuf,
}

/// The file that holds everything in sled's directory `dir`.
pub(super) fn main_file(dir: &Path) -> PathBuf {
    dir.join(FILE_NAME)
}

impl SledFiles {
    /// Opens sled in `dir`, without its flusher thread: what is durable, and when, is not sled's to decide here.
    pub(super) fn open(dir: &Path) -> Result<Self, sled::Error> {
        let config = sled::Config::new().path(dir).flush_every_ms(None).cache_capacity(CACHE_BYTES);
        Ok(Self { db: Some(config.open()?), file: main_file(dir) })
    }
}

impl Deref for SledFiles {
    type Target = sled::Db;

    fn deref(&self) -> &sled::Db {
        self.db.as_ref().expect("it is taken only by the drop")
    }
}

impl Drop for SledFiles {
    fn drop(&mut self) {
        drop(self.db.take());
        if std::thread::panicking() {
            // A panic inside sled may have taken the lock with it for good.
            return;
        }
        // sled's lock is the operating system's, so waiting for it is waiting for sled's last thread.
        let released: io::Result<()> = File::open(&self.file).and_then(|file| file.lock());
        if let Err(error) = released {
            tracing::warn!(file = %self.file.display(), %error, "whether sled has closed its files is not known");
        }
    }
}

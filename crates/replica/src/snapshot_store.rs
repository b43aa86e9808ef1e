//! Snapshots: plain files with checksums, written beside their final name, synced, renamed, and their directory synced.
//! Which one is the newest follows from the listing; there is no pointer that could be wrong.
//!
//! The two newest are kept, and the log back to the older of them, so that one damaged file costs nothing: the start
//! falls back to the one before and to the log. What must stay true: a file under its final name was whole when it
//! got it, and one that is not whole now is never used.

mod format;
mod streams;

use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use authority::{Authority, snapshot};
use parking_lot::Mutex;
use seams::SharedDisk;
use tokio::sync::watch;

pub use self::format::BadSnapshot;
use self::streams::{Appending, Reading};
use crate::type_config::SnapshotMeta;

/// What the name of a snapshot ends with.
const SUFFIX: &str = ".snapshot";
/// What the name of a file ends with that is being written or received.
const UNFINISHED_SUFFIX: &str = ".tmp";
/// What is put behind the name of a snapshot that turned out to be damaged, so that it is kept but never read.
const DAMAGED_SUFFIX: &str = ".damaged";

/// How many snapshots are kept.
const KEPT: usize = 2;

/// A snapshot as openraft hands it around: where its file is.
///
/// It does not keep the file open. A member that is sent a snapshot will need that (the file is removed when two newer
/// ones are there); it is added with the first such member.
#[derive(Clone, Debug)]
pub(crate) struct SnapshotFile {
    path: PathBuf,
}

/// The snapshots in one directory.
pub(crate) struct SnapshotStore {
    dir: PathBuf,
    disk: SharedDisk,
    /// Held while a snapshot is written, so that there is one writer.
    held: Mutex<Held>,
    /// The last entry that the older of the kept snapshots holds: up to there the log is not needed any more.
    log_spare_through: watch::Sender<Option<u64>>,
}

#[derive(Default)]
struct Held {
    /// Names, oldest first; at most [`KEPT`].
    names: Vec<String>,
    current: Option<SnapshotMeta>,
}

/// What the newest good snapshot held.
pub(crate) struct Loaded {
    /// What it is of.
    pub(crate) meta: SnapshotMeta,
    /// The state.
    pub(crate) authority: Authority,
}

/// Why the snapshots could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenSnapshotsFailed {
    /// A file operation failed.
    #[error("cannot open the snapshots; check the disk and the permissions of the data directory")]
    Io(#[from] io::Error),
    /// Not one of the snapshots is good.
    #[error(
        "no snapshot can be used, the newest is {}; keep the directory for inspection and restore a backup into an \
         empty one, or, if other voters are healthy, let this node join them again under a new id", path.display()
    )]
    AllDamaged {
        /// The newest of them, under its new name.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: BadSnapshot,
    },
}

impl SnapshotStore {
    /// Opens the snapshots in `dir` and loads the newest that is good.
    pub(crate) fn open(
        dir: PathBuf,
        disk: SharedDisk,
    ) -> Result<(Self, Option<Loaded>), OpenSnapshotsFailed> {
        disk.create_dir_all(&dir)?;
        let mut names = Vec::new();
        for name in disk.list(&dir)? {
            if name.ends_with(UNFINISHED_SUFFIX) {
                disk.remove(&dir.join(&name))?;
            } else if name.ends_with(SUFFIX) {
                names.push(name);
            }
        }
        let store = Self { dir, disk, held: Mutex::default(), log_spare_through: watch::Sender::new(None) };
        let loaded = store.load_newest(&mut names)?;
        *store.held.lock() = Held { names, current: loaded.as_ref().map(|loaded| loaded.meta.clone()) };
        store.publish_spare_log();
        Ok((store, loaded))
    }

    /// The newest snapshot.
    pub(crate) fn current(&self) -> Option<(SnapshotMeta, SnapshotFile)> {
        let held = self.held.lock();
        let path = self.dir.join(held.names.last()?);
        Some((held.current.clone()?, SnapshotFile { path }))
    }

    /// The last entry up to which the log is not needed any more, as it changes.
    pub(crate) fn log_spare_through(&self) -> watch::Receiver<Option<u64>> {
        self.log_spare_through.subscribe()
    }

    /// Where a snapshot from another member is to be written.
    pub(crate) fn receiving(&self) -> SnapshotFile {
        SnapshotFile { path: self.dir.join(format!("received{UNFINISHED_SUFFIX}")) }
    }

    /// Reads a snapshot, all of it, wherever it is.
    pub(crate) fn read(&self, file: &SnapshotFile) -> Result<Loaded, BadSnapshot> {
        let (meta, parts) = format::read(&mut Reading::new(&*self.disk, &file.path))?;
        Ok(Loaded { meta, authority: snapshot::from_parts(parts) })
    }

    /// Writes a snapshot and makes it the newest. Durable when it returns.
    pub(crate) fn write(&self, meta: &SnapshotMeta, authority: &Authority) -> io::Result<SnapshotFile> {
        let parts = snapshot::parts(authority);
        let mut held = self.held.lock();
        let name = next_name(meta, held.names.last());
        let path = self.dir.join(&name);
        let unfinished = self.dir.join(format!("{name}{UNFINISHED_SUFFIX}"));
        if let Err(error) = self.write_whole(meta, &parts, &unfinished) {
            // Left there it would take up the room whose lack may be the reason; the start removes it as well.
            if let Err(error) = self.disk.remove(&unfinished) {
                tracing::warn!(path = %unfinished.display(), %error, "an unfinished snapshot is left behind");
            }
            return Err(error);
        }
        self.disk.rename(&unfinished, &path)?;
        self.disk.sync_dir(&self.dir)?;
        held.names.push(name);
        held.current = Some(meta.clone());
        while held.names.len() > KEPT {
            let oldest = held.names.remove(0);
            if let Err(error) = self.disk.remove(&self.dir.join(&oldest)) {
                tracing::warn!(snapshot = oldest, %error, "an old snapshot could not be removed");
            }
        }
        drop(held);
        self.publish_spare_log();
        Ok(SnapshotFile { path })
    }

    fn write_whole(&self, meta: &SnapshotMeta, parts: &snapshot::Parts, path: &Path) -> io::Result<()> {
        let mut file = self.disk.create_new(path)?;
        let mut buffered = BufWriter::new(Appending(&mut *file));
        format::write(meta, parts, &mut buffered)?;
        buffered.flush()?;
        drop(buffered);
        file.sync()
    }

    /// Reads from the newest name down to the first file that is good, and sets those aside that are not.
    fn load_newest(&self, names: &mut Vec<String>) -> Result<Option<Loaded>, OpenSnapshotsFailed> {
        let mut newest_damaged = None;
        while let Some(name) = names.last() {
            let path = self.dir.join(name);
            match self.read(&SnapshotFile { path: path.clone() }) {
                Ok(loaded) => return Ok(Some(loaded)),
                Err(error) => {
                    let aside = self.dir.join(format!("{name}{DAMAGED_SUFFIX}"));
                    tracing::error!(path = %aside.display(), %error, "a snapshot is damaged and was set aside");
                    self.disk.rename(&path, &aside)?;
                    self.disk.sync_dir(&self.dir)?;
                    newest_damaged.get_or_insert((aside, error));
                    names.pop();
                }
            }
        }
        match newest_damaged {
            Some((path, source)) => Err(OpenSnapshotsFailed::AllDamaged { path, source }),
            None => Ok(None),
        }
    }

    fn publish_spare_log(&self) {
        let held = self.held.lock();
        let older = held.names.len().checked_sub(KEPT).and_then(|at| held.names.get(at));
        self.log_spare_through.send_replace(older.and_then(|name| index_of(name)));
    }
}

/// The name of a snapshot: the last entry it holds, and a count for those of the same entry.
fn next_name(meta: &SnapshotMeta, newest: Option<&String>) -> String {
    let index = meta.last_log_id.map_or(0, |last| last.index);
    let count = match newest {
        Some(name) if index_of(name) == Some(index) => count_of(name).map_or(0, |count| count + 1),
        _ => 0,
    };
    format!("{index:020}-{count:06}{SUFFIX}")
}

fn index_of(name: &str) -> Option<u64> {
    name.split_once('-')?.0.parse().ok()
}

fn count_of(name: &str) -> Option<u32> {
    name.strip_suffix(SUFFIX)?.split_once('-')?.1.parse().ok()
}

#[cfg(test)]
mod tests;

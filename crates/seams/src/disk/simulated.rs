//! A disk in memory that keeps only what was synced, and fails when told to.
//!
//! It is at least as unkind as a real one: an unsynced byte is lost by [`SimulatedDisk::power_cut`], an unsynced name
//! too, a failed sync loses its bytes for ever although the next one answers `Ok`, and a full disk takes a part of an
//! append before it refuses the rest. It has no latency of its own; [`SimulatedDisk::pause_syncs`] lets a test hold a
//! sync at that very point instead of guessing with time.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::{Disk, DiskFile};

mod pause;
mod volume;

use pause::Gate;
pub use pause::SyncPause;
use volume::{FileId, Volume};

/// A simulated disk. Clones are handles on the same disk, so a test keeps one and gives another away.
#[derive(Clone)]
pub struct SimulatedDisk {
    shared: Arc<Shared>,
}

/// What a power cut leaves of the unsynced end of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// Nothing: the file ends where it was last synced.
    Lost,
    /// The first `kept` unsynced bytes had reached the medium by chance.
    Torn {
        /// How many of them; more than there are keeps all.
        kept: usize,
    },
    /// The length had reached the medium but not the bytes: `len` zeros stand in their place.
    Zeroed {
        /// How many; more than there were unsynced bytes gives as many as there were.
        len: usize,
    },
}

struct Shared {
    volume: Mutex<Volume>,
    gate: Arc<Gate>,
}

struct SimulatedFile {
    shared: Arc<Shared>,
    file: FileId,
    /// The start of the process that opened the file; a handle does not outlive it.
    boot: u64,
}

impl SimulatedDisk {
    /// An empty disk without limit.
    pub fn new() -> Self {
        Self { shared: Arc::new(Shared { volume: Mutex::new(Volume::new()), gate: Arc::new(Gate::new()) }) }
    }

    /// The process dies (`kill -9`): what was written stays, every open file is dead.
    pub fn kill(&self) {
        self.volume().restart();
    }

    /// The power fails: only synced bytes under synced names stay, every open file is dead.
    pub fn power_cut(&self) {
        self.volume().power_cut(None);
    }

    /// A power cut that leaves `tail` at the end of the file at `path`.
    pub fn power_cut_with_tail(&self, path: &Path, tail: Tail) {
        self.volume().power_cut(Some((path, tail)));
    }

    /// The `nth` sync of a file from now fails with `EIO` (1 is the next one), and what it should have written never
    /// becomes durable, whatever later syncs answer.
    pub fn fail_sync(&self, nth: u32) {
        self.volume().file_sync_fault.arm(nth);
    }

    /// The `nth` sync of a directory from now fails with `EIO` (1 is the next one).
    pub fn fail_sync_dir(&self, nth: u32) {
        self.volume().dir_sync_fault.arm(nth);
    }

    /// Leaves room for `free` more bytes. An append beyond it writes what fits and fails with `ENOSPC`.
    pub fn set_free_bytes(&self, free: u64) {
        self.volume().set_free_bytes(Some(free));
    }

    /// Takes the limit on space away.
    pub fn unlimit_free_bytes(&self) {
        self.volume().set_free_bytes(None);
    }

    /// Flips bit `bit` (0 to 7) of the byte at `offset` of the file at `path`, as a bad medium does: synced or not.
    pub fn flip_bit(&self, path: &Path, offset: u64, bit: u8) -> io::Result<()> {
        self.volume().flip_bit(path, offset, bit)
    }

    /// Changes the permission bits of the file at `path`, as a careless copy does.
    pub fn set_permissions(&self, path: &Path, permissions: u32) -> io::Result<()> {
        self.volume().file_at_mut(path)?.permissions = permissions;
        Ok(())
    }

    /// How many syncs of files have been answered `Ok`; what group commit is judged by.
    pub fn completed_syncs(&self) -> u64 {
        self.volume().completed_syncs
    }

    /// From now on a sync waits, before it makes anything durable, until the returned guard is dropped.
    pub fn pause_syncs(&self) -> SyncPause {
        Gate::close(&self.shared.gate)
    }

    fn volume(&self) -> MutexGuard<'_, Volume> {
        self.shared.volume()
    }

    fn handle(&self, file: FileId, boot: u64) -> Box<dyn DiskFile> {
        Box::new(SimulatedFile { shared: Arc::clone(&self.shared), file, boot })
    }
}

impl Default for SimulatedDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SimulatedDisk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the contents: a simulated disk holds keys and records like a real one.
        formatter.debug_struct("SimulatedDisk").finish_non_exhaustive()
    }
}

impl Shared {
    fn volume(&self) -> MutexGuard<'_, Volume> {
        self.volume.lock().expect("no operation panics while it holds the volume")
    }
}

impl Disk for SimulatedDisk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.volume().create_dir_all(dir)
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut volume = self.volume();
        let file = volume.create(path)?;
        Ok(self.handle(file, volume.boot))
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let volume = self.volume();
        let file = volume.id_at(path)?;
        Ok(self.handle(file, volume.boot))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        Ok(self.volume().file_at(path)?.bytes.clone())
    }

    fn read_range(&self, path: &Path, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let volume = self.volume();
        let bytes = &volume.file_at(path)?.bytes;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let end = start.saturating_add(len).min(bytes.len());
        Ok(bytes[start..end].to_vec())
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        Ok(self.volume().file_at(path)?.bytes.len() as u64)
    }

    fn permissions(&self, path: &Path) -> io::Result<u32> {
        Ok(self.volume().file_at(path)?.permissions)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.volume().list(dir)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.volume().remove(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.volume().rename(from, to)
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        self.volume().truncate(path, len)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.volume().sync_dir(dir)
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        let volume = self.volume();
        volume.must_exist(path)?;
        Ok(volume.free_bytes())
    }
}

impl DiskFile for SimulatedFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.shared.volume().append(self.file, self.boot, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        // What is appended while the sync waits is not part of it: a real one does not promise those bytes either.
        let covered = self.shared.volume().len_of(self.file, self.boot)?;
        self.shared.gate.pass();
        self.shared.volume().sync(self.file, self.boot, covered)
    }
}

/// `path` as an owned key of the simulated name table.
fn key(path: &Path) -> PathBuf {
    path.to_path_buf()
}

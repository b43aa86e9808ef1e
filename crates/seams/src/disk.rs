//! The file seam: the few file operations that durable parts (write-ahead log, key files) are built from.
//!
//! It is not a file system: files are created once, appended to, cut, renamed or removed, and never rewritten in
//! place. What must stay true of every implementation: bytes are durable only after [`DiskFile::sync`] returned
//! `Ok`, a name created, renamed or removed is durable only after [`Disk::sync_dir`] of its directory returned `Ok`,
//! and no operation ever replaces a file without being asked to.

use std::io;
use std::path::Path;
use std::sync::Arc;

mod simulated;
mod system;

pub use simulated::{SimulatedDisk, SyncPause, Tail};
pub use system::SystemDisk;

/// A disk shared by the parts of one node.
pub type SharedDisk = Arc<dyn Disk>;

/// The permission bits that let anybody but the owner read, write or run a file.
pub const OTHERS_MASK: u32 = 0o077;

/// Names and whole files.
///
/// Every error is the operating system's own ([`io::ErrorKind::NotFound`], `ENOSPC`, `EIO` …), real or simulated, so
/// that callers have one way to read them.
pub trait Disk: Send + Sync + 'static {
    /// Creates `dir` and the missing directories above it, for the owner only (0700). Durable when it returns.
    /// An existing directory is left as it is.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;

    /// Creates a file that must not exist, for the owner only (0600), and opens it for appending. Its name is durable
    /// after [`Disk::sync_dir`]. [`io::ErrorKind::AlreadyExists`] if there is anything of that name.
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Opens an existing file for appending at its end. [`io::ErrorKind::NotFound`] if there is none.
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// The whole content. The caller bounds it: ask for [`Disk::len`] first where the file is not its own.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// At most `len` bytes from `offset`; fewer, or none, where the file ends before.
    fn read_range(&self, path: &Path, offset: u64, len: usize) -> io::Result<Vec<u8>>;

    /// The length in bytes.
    fn len(&self, path: &Path) -> io::Result<u64>;

    /// The permission bits (as in `chmod`).
    fn permissions(&self, path: &Path) -> io::Result<u32>;

    /// The names of the files in `dir`, sorted bytewise. Directories in it, and names that are not UTF-8 (no part of
    /// this project writes any), are left out.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Removes a file. Durable after [`Disk::sync_dir`].
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Gives a file another name in one step, replacing what has that name. Durable after [`Disk::sync_dir`].
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Cuts a file to `len` bytes and syncs it, so that the cut, and all that stays, is durable when it returns.
    /// A `len` beyond the end is [`io::ErrorKind::InvalidInput`]: a log is never made longer by a cut.
    fn truncate(&self, path: &Path, len: u64) -> io::Result<()>;

    /// Makes the names in `dir` durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// The bytes that this process may still write on the file system that holds `path` (which must exist).
    fn free_bytes(&self, path: &Path) -> io::Result<u64>;
}

/// One file open for appending.
pub trait DiskFile: Send {
    /// Writes all of `bytes` at the end. After an error the file may hold any prefix of them.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes everything appended durable (`fdatasync`).
    ///
    /// After an error the file must never be used again: the kernel marks the failed pages clean, so a second sync
    /// answers `Ok` without having written them (FAULTS A25). The only safe way on is to stop and to recover from
    /// what the disk really holds.
    fn sync(&mut self) -> io::Result<()>;
}

#[cfg(test)]
mod tests;

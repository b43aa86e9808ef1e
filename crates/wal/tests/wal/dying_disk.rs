//! A disk under which the node dies at a chosen operation.
//!
//! It counts what is asked of the disk below; at the chosen count the power is cut (or the process killed) before the
//! operation happens, and from then on everything fails, as for a process that is no more.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use seams::{Disk, DiskFile, SimulatedDisk};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    Kill,
    PowerCut,
}

#[derive(Clone)]
pub struct DyingDisk {
    below: SimulatedDisk,
    death: Death,
    left: Arc<AtomicU64>,
}

struct DyingFile {
    disk: DyingDisk,
    below: Box<dyn DiskFile>,
}

impl DyingDisk {
    /// Dies before operation number `at`, counted from 1.
    pub fn new(below: SimulatedDisk, death: Death, at: u64) -> Self {
        Self { below, death, left: Arc::new(AtomicU64::new(at)) }
    }

    pub fn is_dead(&self) -> bool {
        self.left.load(Ordering::SeqCst) == 0
    }

    fn step(&self) -> io::Result<()> {
        let before = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        match before {
            Ok(1) => match self.death {
                Death::Kill => self.below.kill(),
                Death::PowerCut => self.below.power_cut(),
            },
            Ok(_) => return Ok(()),
            Err(_) => {}
        }
        Err(io::Error::other("the process is dead"))
    }

    fn file(&self, below: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        Box::new(DyingFile { disk: self.clone(), below })
    }
}

impl Disk for DyingDisk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.step()?;
        self.below.create_dir_all(dir)
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.step()?;
        Ok(self.file(self.below.create_new(path)?))
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.step()?;
        Ok(self.file(self.below.open_append(path)?))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.step()?;
        self.below.read(path)
    }

    fn read_range(&self, path: &Path, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        self.step()?;
        self.below.read_range(path, offset, len)
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        self.step()?;
        self.below.len(path)
    }

    fn permissions(&self, path: &Path) -> io::Result<u32> {
        self.step()?;
        self.below.permissions(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.step()?;
        self.below.list(dir)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        self.below.remove(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        self.below.rename(from, to)
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        self.step()?;
        self.below.truncate(path, len)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.step()?;
        self.below.sync_dir(dir)
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        // Not a step: it changes nothing.
        self.below.free_bytes(path)
    }
}

impl DiskFile for DyingFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.disk.step()?;
        self.below.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.step()?;
        self.below.sync()
    }
}

/// A disk that says it has room when it has none.
pub struct Boastful(pub SimulatedDisk);

impl Disk for Boastful {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.0.create_dir_all(dir)
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.0.create_new(path)
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.0.open_append(path)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.0.read(path)
    }

    fn read_range(&self, path: &Path, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        self.0.read_range(path, offset, len)
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        self.0.len(path)
    }

    fn permissions(&self, path: &Path) -> io::Result<u32> {
        self.0.permissions(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.0.list(dir)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.remove(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        self.0.truncate(path, len)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.0.sync_dir(dir)
    }

    fn free_bytes(&self, _path: &Path) -> io::Result<u64> {
        Ok(u64::MAX)
    }
}

//! A disk for tests: the real one, which can be told to be nearly full, to fail its syncs, or to hold them back.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use parking_lot::{Condvar, Mutex};
use seams::{Disk, DiskFile, SystemDisk};

/// The disk. Clones share their behaviour.
#[derive(Clone, Default)]
pub(crate) struct TestDisk {
    behaviour: Arc<Behaviour>,
}

#[derive(Default)]
struct Behaviour {
    missing_bytes: AtomicU64,
    syncs_fail: AtomicBool,
    held: Mutex<Held>,
    changed: Condvar,
}

#[derive(Default)]
struct Held {
    hold: bool,
    waiting: usize,
}

struct TestFile {
    file: Box<dyn DiskFile>,
    behaviour: Arc<Behaviour>,
}

impl TestDisk {
    /// Whether it says that nothing is free.
    pub(crate) fn be_full(&self, full: bool) {
        self.behaviour.missing_bytes.store(if full { u64::MAX } else { 0 }, Ordering::SeqCst);
    }

    /// Whether syncs of files opened for appending fail.
    pub(crate) fn fail_syncs(&self, fail: bool) {
        self.behaviour.syncs_fail.store(fail, Ordering::SeqCst);
    }

    /// From now on, syncs of files opened for appending wait for [`TestDisk::release_syncs`].
    pub(crate) fn hold_syncs(&self) {
        self.behaviour.held.lock().hold = true;
    }

    /// Lets the syncs go that wait, and all later ones.
    pub(crate) fn release_syncs(&self) {
        self.behaviour.held.lock().hold = false;
        self.behaviour.changed.notify_all();
    }

    /// Returns when a sync waits.
    pub(crate) async fn a_sync_waits(&self) {
        let behaviour = Arc::clone(&self.behaviour);
        let wait = move || {
            let mut held = behaviour.held.lock();
            behaviour.changed.wait_while(&mut held, |held| held.waiting == 0);
        };
        tokio::task::spawn_blocking(wait).await.expect("it does not panic");
    }
}

impl DiskFile for TestFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut held = self.behaviour.held.lock();
        held.waiting += 1;
        self.behaviour.changed.notify_all();
        self.behaviour.changed.wait_while(&mut held, |held| held.hold);
        held.waiting -= 1;
        drop(held);
        if self.behaviour.syncs_fail.load(Ordering::SeqCst) {
            return Err(io::Error::other("the disk does not take it"));
        }
        self.file.sync()
    }
}

impl Disk for TestDisk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        SystemDisk.create_dir_all(dir)
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        SystemDisk.create_new(path)
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = SystemDisk.open_append(path)?;
        Ok(Box::new(TestFile { file, behaviour: Arc::clone(&self.behaviour) }))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        SystemDisk.read(path)
    }

    fn read_range(&self, path: &Path, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        SystemDisk.read_range(path, offset, len)
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        SystemDisk.len(path)
    }

    fn permissions(&self, path: &Path) -> io::Result<u32> {
        SystemDisk.permissions(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        SystemDisk.list(dir)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        SystemDisk.remove(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        SystemDisk.rename(from, to)
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        SystemDisk.truncate(path, len)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        SystemDisk.sync_dir(dir)
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        let missing = self.behaviour.missing_bytes.load(Ordering::SeqCst);
        Ok(SystemDisk.free_bytes(path)?.saturating_sub(missing))
    }
}

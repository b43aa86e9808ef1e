//! A real disk that a test can hold at a write, or let fail.

use std::{
    io,
    path::Path,
    sync::{Arc, Condvar, Mutex},
};

use seams::{Disk, DiskFile, SystemDisk};
use tokio::sync::Notify;

/// The disk. Clones are the same disk.
#[derive(Clone)]
pub struct TestDisk {
    inner: Arc<SystemDisk>,
    valve: Arc<Valve>,
}

#[derive(Default)]
struct Valve {
    state: Mutex<State>,
    changed: Condvar,
    reached: Notify,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    Held,
    Broken,
}

struct TestFile {
    inner: Box<dyn DiskFile>,
    valve: Arc<Valve>,
}

impl TestDisk {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { inner: Arc::new(SystemDisk), valve: Arc::default() })
    }

    /// Holds every write from now on.
    pub fn hold(&self) {
        self.set(State::Held);
    }

    /// Waits until a write is held.
    pub async fn is_reached(&self) {
        self.valve.reached.notified().await;
    }

    /// Lets writes go on.
    pub fn let_go(&self) {
        self.set(State::Open);
    }

    /// Lets every write from now on fail.
    pub fn break_down(&self) {
        self.set(State::Broken);
    }

    fn set(&self, state: State) {
        *self.valve.state.lock().expect("no test panics in it") = state;
        self.valve.changed.notify_all();
    }

    fn file(&self, inner: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        Box::new(TestFile { inner, valve: Arc::clone(&self.valve) })
    }
}

impl DiskFile for TestFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.valve.state.lock().expect("no test panics in it");
        while *state == State::Held {
            self.valve.reached.notify_one();
            state = self.valve.changed.wait(state).expect("no test panics in it");
        }
        if *state == State::Broken {
            return Err(io::Error::other("the disk is broken"));
        }
        self.inner.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.inner.sync()
    }
}

impl Disk for TestDisk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.inner.create_dir_all(dir)
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.file(self.inner.create_new(path)?))
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.file(self.inner.open_append(path)?))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.inner.read(path)
    }

    fn read_range(&self, path: &Path, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        self.inner.read_range(path, offset, len)
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        self.inner.len(path)
    }

    fn permissions(&self, path: &Path) -> io::Result<u32> {
        self.inner.permissions(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.inner.list(dir)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.inner.remove(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.inner.rename(from, to)
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        self.inner.truncate(path, len)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.inner.sync_dir(dir)
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        self.inner.free_bytes(path)
    }
}

//! The plain values of a simulated disk: files, two tables of names, and the faults that are armed.
//!
//! No lock and no waiting here. What must stay true: `synced` is a prefix of a file's bytes and grows only by a sync
//! that answered `Ok`; `durable_names` changes only by a sync of a directory.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::{Tail, key};

/// Which file, whatever its names are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileId(u64);

pub(super) struct Volume {
    files: BTreeMap<FileId, Contents>,
    names: BTreeMap<PathBuf, FileId>,
    durable_names: BTreeMap<PathBuf, FileId>,
    dirs: BTreeSet<PathBuf>,
    next_file: u64,
    /// Bytes that all named files may hold together; `None` is no limit.
    capacity: Option<u64>,
    /// Counts the lives of the process; a handle of an earlier one is dead.
    pub(super) boot: u64,
    pub(super) file_sync_fault: Countdown,
    pub(super) dir_sync_fault: Countdown,
    pub(super) completed_syncs: u64,
}

pub(super) struct Contents {
    pub(super) bytes: Vec<u8>,
    pub(super) permissions: u32,
    /// How many of `bytes` survive a power cut.
    synced: usize,
    /// A sync of this file failed: what it should have written is lost, and later syncs make nothing durable.
    sync_failed: bool,
}

/// Fires once, at the nth call.
#[derive(Default)]
pub(super) struct Countdown {
    left: u32,
}

impl Countdown {
    pub(super) fn arm(&mut self, nth: u32) {
        self.left = nth;
    }

    fn fires(&mut self) -> bool {
        let fires = self.left == 1;
        self.left = self.left.saturating_sub(1);
        fires
    }
}

impl Volume {
    pub(super) fn new() -> Self {
        Self {
            files: BTreeMap::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            dirs: BTreeSet::from([PathBuf::new(), PathBuf::from("/"), PathBuf::from(".")]),
            next_file: 0,
            capacity: None,
            boot: 0,
            file_sync_fault: Countdown::default(),
            dir_sync_fault: Countdown::default(),
            completed_syncs: 0,
        }
    }

    pub(super) fn restart(&mut self) {
        self.boot += 1;
    }

    pub(super) fn power_cut(&mut self, tail: Option<(&Path, Tail)>) {
        self.restart();
        let spared = tail.and_then(|(path, tail)| Some((*self.names.get(path)?, tail)));
        self.names = self.durable_names.clone();
        let named: BTreeSet<FileId> = self.names.values().copied().collect();
        self.files.retain(|file, _| named.contains(file));
        for (file, contents) in &mut self.files {
            match spared {
                Some((spared, tail)) if spared == *file => contents.lose_power(tail),
                _ => contents.lose_power(Tail::Lost),
            }
        }
    }

    pub(super) fn create_dir_all(&mut self, dir: &Path) -> io::Result<()> {
        if dir.ancestors().any(|path| self.names.contains_key(path)) {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        self.dirs.extend(dir.ancestors().map(key));
        Ok(())
    }

    pub(super) fn create(&mut self, path: &Path) -> io::Result<FileId> {
        self.must_be_in_a_dir(path)?;
        if self.names.contains_key(path) || self.dirs.contains(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let file = FileId(self.next_file);
        self.next_file += 1;
        let contents = Contents { bytes: Vec::new(), permissions: 0o600, synced: 0, sync_failed: false };
        self.files.insert(file, contents);
        self.names.insert(key(path), file);
        Ok(file)
    }

    pub(super) fn id_at(&self, path: &Path) -> io::Result<FileId> {
        self.names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn file_at(&self, path: &Path) -> io::Result<&Contents> {
        Ok(self.contents(self.id_at(path)?))
    }

    pub(super) fn file_at_mut(&mut self, path: &Path) -> io::Result<&mut Contents> {
        let file = self.id_at(path)?;
        Ok(self.contents_mut(file))
    }

    pub(super) fn must_exist(&self, path: &Path) -> io::Result<()> {
        if self.names.contains_key(path) || self.dirs.contains(path) {
            return Ok(());
        }
        Err(io::ErrorKind::NotFound.into())
    }

    pub(super) fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.must_be_dir(dir)?;
        let inside = self.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
    }

    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.names.remove(path).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.must_be_in_a_dir(to)?;
        let file = self.id_at(from)?;
        self.names.remove(from);
        self.names.insert(key(to), file);
        Ok(())
    }

    pub(super) fn truncate(&mut self, path: &Path, len: u64) -> io::Result<()> {
        let file = self.id_at(path)?;
        let contents = self.contents_mut(file);
        let len = usize::try_from(len).ok().filter(|len| *len <= contents.bytes.len());
        let len = len.ok_or(io::ErrorKind::InvalidInput)?;
        contents.bytes.truncate(len);
        contents.synced = contents.synced.min(len);
        self.sync(file, self.boot, len)
    }

    pub(super) fn append(&mut self, file: FileId, boot: u64, bytes: &[u8]) -> io::Result<()> {
        self.must_live(boot)?;
        let room = usize::try_from(self.free_bytes()).unwrap_or(usize::MAX);
        let fitting = &bytes[..bytes.len().min(room)];
        self.contents_mut(file).bytes.extend_from_slice(fitting);
        if fitting.len() < bytes.len() {
            return Err(Errno::NOSPC.into());
        }
        Ok(())
    }

    pub(super) fn len_of(&self, file: FileId, boot: u64) -> io::Result<usize> {
        self.must_live(boot)?;
        Ok(self.contents(file).bytes.len())
    }

    /// Makes the first `covered` bytes of `file` durable.
    pub(super) fn sync(&mut self, file: FileId, boot: u64, covered: usize) -> io::Result<()> {
        self.must_live(boot)?;
        let fails = self.file_sync_fault.fires();
        let contents = self.contents_mut(file);
        if fails {
            contents.sync_failed = true;
            return Err(Errno::IO.into());
        }
        if !contents.sync_failed {
            contents.synced = contents.synced.max(covered);
        }
        self.completed_syncs += 1;
        Ok(())
    }

    pub(super) fn sync_dir(&mut self, dir: &Path) -> io::Result<()> {
        self.must_be_dir(dir)?;
        if self.dir_sync_fault.fires() {
            return Err(Errno::IO.into());
        }
        self.durable_names.retain(|path, _| path.parent() != Some(dir));
        let inside = self.names.iter().filter(|(path, _)| path.parent() == Some(dir));
        self.durable_names.extend(inside.map(|(path, file)| (path.clone(), *file)));
        Ok(())
    }

    pub(super) fn flip_bit(&mut self, path: &Path, offset: u64, bit: u8) -> io::Result<()> {
        let bytes = &mut self.file_at_mut(path)?.bytes;
        let byte = usize::try_from(offset).ok().and_then(|offset| bytes.get_mut(offset));
        *byte.ok_or(io::ErrorKind::InvalidInput)? ^=
            1_u8.checked_shl(u32::from(bit)).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(())
    }

    pub(super) fn set_free_bytes(&mut self, free: Option<u64>) {
        self.capacity = free.map(|free| self.used_bytes().saturating_add(free));
    }

    pub(super) fn free_bytes(&self) -> u64 {
        self.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(self.used_bytes()))
    }

    fn used_bytes(&self) -> u64 {
        self.names.values().map(|file| self.contents(*file).bytes.len() as u64).sum()
    }

    fn contents(&self, file: FileId) -> &Contents {
        self.files.get(&file).expect(KEPT)
    }

    fn contents_mut(&mut self, file: FileId) -> &mut Contents {
        self.files.get_mut(&file).expect(KEPT)
    }

    fn must_live(&self, boot: u64) -> io::Result<()> {
        if boot == self.boot { Ok(()) } else { Err(Errno::BADF.into()) }
    }

    fn must_be_dir(&self, dir: &Path) -> io::Result<()> {
        if self.dirs.contains(dir) { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn must_be_in_a_dir(&self, path: &Path) -> io::Result<()> {
        self.must_be_dir(path.parent().unwrap_or(Path::new("")))
    }
}

/// Contents are dropped only by a power cut, which also ends every handle and takes every name but the durable ones.
const KEPT: &str = "a named or opened file keeps its contents until a power cut";

impl Contents {
    fn lose_power(&mut self, tail: Tail) {
        let unsynced = self.bytes.len() - self.synced;
        match tail {
            Tail::Lost => self.bytes.truncate(self.synced),
            Tail::Torn { kept } => self.bytes.truncate(self.synced + kept.min(unsynced)),
            Tail::Zeroed { len } => {
                self.bytes.truncate(self.synced);
                self.bytes.resize(self.synced + len.min(unsynced), 0);
            }
        }
        // What is on the medium after the cut is there to stay, and the failed pages went with the old kernel.
        self.synced = self.bytes.len();
        self.sync_failed = false;
    }
}

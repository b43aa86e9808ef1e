//! Files of the `seams` disk as `std::io` streams, so that a snapshot is written and read piece by piece.

use std::{
    io::{self, Read, Write},
    path::Path,
};

use seams::{Disk, DiskFile};

/// How much is read at once: large enough that opening the file for each piece does not count.
const PIECE_BYTES: usize = 1024 * 1024;

/// A file that is appended to.
pub(super) struct Appending<'file>(pub(super) &'file mut dyn DiskFile);

/// A file that is read from its beginning.
pub(super) struct Reading<'path> {
    disk: &'path dyn Disk,
    path: &'path Path,
    /// Where the next piece begins.
    offset: u64,
    piece: Vec<u8>,
    /// How much of the piece was taken.
    taken: usize,
}

impl Write for Appending<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.append(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'path> Reading<'path> {
    pub(super) fn new(disk: &'path dyn Disk, path: &'path Path) -> Self {
        Self { disk, path, offset: 0, piece: Vec::new(), taken: 0 }
    }
}

impl Read for Reading<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.piece.len() {
            self.piece = self.disk.read_range(self.path, self.offset, PIECE_BYTES)?;
            self.offset += self.piece.len() as u64;
            self.taken = 0;
        }
        let rest = &self.piece[self.taken..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.taken += count;
        Ok(count)
    }
}

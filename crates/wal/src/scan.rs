//! Reading the bytes of one segment, and telling the torn end of a write from damage.
//!
//! A write that was cut short by a crash leaves a frame that the file ends inside, or zeros from a sector boundary (or
//! from the frame's own beginning) to the end of the file, and nothing whole behind it. Everything else that is wrong
//! has been right once, and possibly acknowledged: a flipped bit, also one in the last frame or in a length, is damage.
//! What must stay true: a single flipped bit is never taken for a torn tail.

use authority::record::Record;

use crate::{
    config::MAX_RECORD_BYTES,
    frame::{self, Defect, Read},
    preface::{self, NotAPreface, Preface},
};

/// What disks write as a whole (the smallest sector in use).
const SECTOR_BYTES: usize = 512;

/// Walks through a segment's records.
pub(crate) struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// One record and where it stands.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    pub(crate) offset: usize,
    pub(crate) bytes: &'a [u8],
    pub(crate) record: Record,
}

/// What stands at the end of the whole records.
#[derive(Debug)]
pub(crate) enum Next<'a> {
    /// A record.
    Record(Found<'a>),
    /// The end of the file.
    End,
    /// The rest of a write that a crash cut short, from `offset` on.
    Torn { offset: usize },
    /// Something that has been right once.
    Damaged { offset: usize, what: Damage },
}

/// What is wrong at one place of a segment.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Damage {
    #[error("there is no whole frame: {0}")]
    Frame(Defect),
    #[error("the frame is whole, but it holds no preface: {0}")]
    Preface(NotAPreface),
    #[error("the frame is whole, but it holds no record: {0}")]
    Record(wire::Malformed),
}

impl<'a> Scan<'a> {
    /// Reads the preface. `None` if the segment was torn before its preface was whole.
    pub(crate) fn begin(bytes: &'a [u8]) -> Result<Option<(Preface, Self)>, Damage> {
        match frame::read(bytes, 0, preface::MAX_BYTES) {
            Read::End => Ok(None),
            Read::Bad(_) if is_torn(bytes, 0) => Ok(None),
            Read::Bad(defect) => Err(Damage::Frame(defect)),
            Read::Whole { payload, end } => {
                let preface = Preface::decode(payload).map_err(Damage::Preface)?;
                Ok(Some((preface, Self { bytes, at: end })))
            }
        }
    }

    /// Where the next record begins.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn next(&mut self) -> Next<'a> {
        let offset = self.at;
        match frame::read(self.bytes, offset, MAX_RECORD_BYTES) {
            Read::End => Next::End,
            Read::Bad(_) if is_torn(self.bytes, offset) => Next::Torn { offset },
            Read::Bad(defect) => Next::Damaged { offset, what: Damage::Frame(defect) },
            Read::Whole { payload, end } => match wire::record::decode(payload) {
                Ok(record) => {
                    self.at = end;
                    Next::Record(Found { offset, bytes: payload, record })
                }
                Err(malformed) => Next::Damaged { offset, what: Damage::Record(malformed) },
            },
        }
    }
}

/// Whether the bytes from `at`, which are no whole frame, are the end of a write that was cut short.
fn is_torn(bytes: &[u8], at: usize) -> bool {
    let rest = &bytes[at..];
    if rest.iter().all(|byte| *byte == 0) {
        return true;
    }
    let cut_short = runs_past_the_end(rest) && !frame::is_whole_but_for_its_length(rest);
    (cut_short || ends_in_zeroed_sectors(bytes, at)) && !holds_a_whole_record(bytes, at + 1)
}

/// Whether the frame that `rest` begins with is longer than `rest`, by what it says of itself.
fn runs_past_the_end(rest: &[u8]) -> bool {
    let Some(room) = rest.len().checked_sub(frame::HEADER_BYTES) else { return true };
    let length = rest.first_chunk::<4>().map_or(0, |length| u32::from_le_bytes(*length));
    usize::try_from(length).unwrap_or(usize::MAX) > room
}

/// Whether, from the first sector that begins inside the frame at `at` or from a later one, everything is zero.
fn ends_in_zeroed_sectors(bytes: &[u8], at: usize) -> bool {
    let last_sector = (bytes.len() - 1) / SECTOR_BYTES * SECTOR_BYTES;
    last_sector > at && bytes[last_sector..].iter().all(|byte| *byte == 0)
}

/// Whether a whole record begins anywhere from `from` on: then what stands before it was once written whole too.
fn holds_a_whole_record(bytes: &[u8], from: usize) -> bool {
    (from..bytes.len()).any(|at| match frame::read(bytes, at, MAX_RECORD_BYTES) {
        Read::Whole { payload, .. } => wire::record::decode(payload).is_ok(),
        Read::End | Read::Bad(_) => false,
    })
}

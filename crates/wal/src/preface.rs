//! The preface of a segment: what it continues, so that a segment can be checked when the ones before it are trimmed.
//!
//! It names the last record before the segment and the intents of its epoch that had no outcome then; a crash is
//! answered for every one of them, also where the intent itself is long in the archive. It is no record: it is not in the
//! chain, not shipped, and stands only as the first frame of a segment.

use authority::{
    archive::Position,
    node::{Epoch, Id},
    record::Seq,
};

use crate::{chain::NO_RECORD, config::MAX_OPEN_INTENTS};

/// The kind and the version of the file.
const MAGIC: &[u8; 8] = b"pcl-wal1";

const FIXED_BYTES: usize = 8 + 8 + 8 + 8 + 32 + 4;

/// The longest preface, in bytes.
pub(crate) const MAX_BYTES: usize = FIXED_BYTES + 8 * MAX_OPEN_INTENTS;

/// What a segment continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Preface {
    /// Whose log it is.
    pub(crate) edge: Id,
    /// The last record before the segment; none if it holds the very first.
    pub(crate) after: Option<Position>,
    /// The intents of this epoch without an outcome, in order.
    pub(crate) open: Vec<Seq>,
}

/// Why bytes are no preface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotAPreface {
    #[error("the file is no segment of a write-ahead log, or of a later version")]
    Magic,
    #[error("the preface has the wrong length")]
    Length,
    #[error("the preface contradicts itself")]
    Content,
}

impl Preface {
    /// `[magic 8][edge u64][epoch u64][seq u64][hash 32][count u32][open u64 …]`, numbers little-endian; epoch zero says
    /// that there is no record before.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(FIXED_BYTES + 8 * self.open.len());
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&self.edge.0.to_le_bytes());
        let (epoch, seq, hash) = self.after.map_or((0, 0, NO_RECORD), |at| (at.epoch.0, at.seq, at.hash));
        out.extend_from_slice(&epoch.to_le_bytes());
        out.extend_from_slice(&seq.to_le_bytes());
        out.extend_from_slice(&hash);
        let count = u32::try_from(self.open.len()).expect("open intents are bounded by MAX_OPEN_INTENTS");
        out.extend_from_slice(&count.to_le_bytes());
        for seq in &self.open {
            out.extend_from_slice(&seq.0.to_le_bytes());
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, NotAPreface> {
        let mut rest = bytes.strip_prefix(MAGIC).ok_or(NotAPreface::Magic)?;
        let edge = Id(number(&mut rest)?);
        let (epoch, seq) = (number(&mut rest)?, number(&mut rest)?);
        let hash = *take::<32>(&mut rest)?;
        let count = u32::from_le_bytes(*take::<4>(&mut rest)?) as usize;
        if count > MAX_OPEN_INTENTS || rest.len() != 8 * count {
            return Err(NotAPreface::Length);
        }
        let mut open = Vec::with_capacity(count);
        while !rest.is_empty() {
            open.push(Seq(number(&mut rest)?));
        }
        let after = match (epoch, seq) {
            (0, 0) if hash == NO_RECORD => None,
            (0, _) | (_, 0) => return Err(NotAPreface::Content),
            (epoch, seq) => Some(Position { edge, epoch: Epoch(epoch), seq, hash }),
        };
        let known = after.map_or(0, |at| at.seq);
        let ordered = open.windows(2).all(|pair| pair[0] < pair[1]);
        if !ordered || open.iter().any(|seq| seq.0 == 0 || seq.0 > known) {
            return Err(NotAPreface::Content);
        }
        Ok(Self { edge, after, open })
    }
}

fn number(rest: &mut &[u8]) -> Result<u64, NotAPreface> {
    Ok(u64::from_le_bytes(*take::<8>(rest)?))
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Result<&'a [u8; N], NotAPreface> {
    let (taken, after) = rest.split_first_chunk::<N>().ok_or(NotAPreface::Length)?;
    *rest = after;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Preface {
        let after = Position { edge: Id(7), epoch: Epoch(3), seq: 12, hash: [9; 32] };
        Preface { edge: Id(7), after: Some(after), open: vec![Seq(2), Seq(12)] }
    }

    #[test]
    fn a_preface_reads_back() {
        let first = Preface { edge: Id(7), after: None, open: Vec::new() };
        for preface in [example(), first] {
            assert_eq!(Preface::decode(&preface.encode()), Ok(preface));
        }
    }

    #[test]
    fn a_preface_that_contradicts_itself_is_refused() {
        let unordered = Preface { open: vec![Seq(3), Seq(3)], ..example() };
        let beyond = Preface { open: vec![Seq(13)], ..example() };
        let nothing_before = Preface { after: None, ..example() };
        for preface in [unordered, beyond, nothing_before] {
            assert_eq!(Preface::decode(&preface.encode()), Err(NotAPreface::Content));
        }
        let bytes = example().encode();
        assert_eq!(Preface::decode(&bytes[..bytes.len() - 1]), Err(NotAPreface::Length));
        assert_eq!(Preface::decode(b"pcl-wal2"), Err(NotAPreface::Magic));
    }
}

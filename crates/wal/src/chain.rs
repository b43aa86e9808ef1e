//! The chain of one edge's records: without gaps within an epoch, each naming the hash of the one before, each epoch
//! beginning with a record that names the last one before it.
//!
//! One place says what continues what: the log checks with it at recovery and at every read, the archiver before it
//! stores, and the archive's verification afterwards. It holds no records, only the place of the last.

use authority::{
    archive::Position,
    node,
    record::{Body, Record, Seq},
};
use sha2::{Digest, Sha256};

/// What the first record of the first epoch names as the one before it.
pub const NO_RECORD: [u8; 32] = [0; 32];

/// A chain, as far as it was followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    edge: node::Id,
    last: Option<Position>,
}

/// Why a record does not continue a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    /// It is a record of another edge.
    #[error("it belongs to edge {found}, not to edge {expected}")]
    OtherEdge {
        /// Whose chain it is.
        expected: node::Id,
        /// Whose record it is.
        found: node::Id,
    },
    /// It lies at or before the last record: a repetition, if its hash is the held one.
    #[error("epoch {epoch} has been followed to sequence number {held} already")]
    AlreadyHeld {
        /// The epoch of the last record.
        epoch: node::Epoch,
        /// The sequence number of the last record.
        held: u64,
    },
    /// Records are missing before it.
    #[error("epoch {epoch} goes on with sequence number {expected}, and this is {found}")]
    Gap {
        /// The epoch.
        epoch: node::Epoch,
        /// The sequence number that comes next.
        expected: u64,
        /// The one it has.
        found: u64,
    },
    /// The hash it names is not that of the record before it.
    #[error("it names another record than the one before it")]
    Hash,
    /// It begins an epoch without saying so, or says so elsewhere.
    #[error("an epoch begins with sequence number 1 and a record of its start, and only there")]
    Beginning,
    /// It begins an epoch and names another last record than the one held.
    #[error("the epoch begins after another record than the last one held")]
    OtherBefore,
}

impl Chain {
    /// The chain of `edge` before its first record.
    pub fn new(edge: node::Id) -> Self {
        Self { edge, last: None }
    }

    /// The chain whose last record is at `position`.
    pub fn after(position: Position) -> Self {
        Self { edge: position.edge, last: Some(position) }
    }

    /// The place of the last record; none before the first.
    pub fn last(&self) -> Option<Position> {
        self.last
    }

    /// Follows the chain to `record`, whose encoded bytes have the hash `hash`.
    ///
    /// # Errors
    /// [`Break`]; the chain is then where it was.
    pub fn follow(&mut self, record: &Record, hash: [u8; 32]) -> Result<Position, Break> {
        if record.edge != self.edge {
            return Err(Break::OtherEdge { expected: self.edge, found: record.edge });
        }
        match self.last {
            Some(last) if record.epoch < last.epoch => {
                return Err(Break::AlreadyHeld { epoch: last.epoch, held: last.seq });
            }
            Some(last) if record.epoch == last.epoch => within_epoch(&last, record)?,
            before => begins_epoch(before.as_ref(), record)?,
        }
        let position = Position { edge: record.edge, epoch: record.epoch, seq: record.seq.0, hash };
        self.last = Some(position);
        Ok(position)
    }
}

/// The hash of a record: SHA-256 of its encoded bytes.
pub fn hash(encoded: &[u8]) -> [u8; 32] {
    Sha256::digest(encoded).into()
}

fn within_epoch(last: &Position, record: &Record) -> Result<(), Break> {
    if record.seq.0 <= last.seq {
        return Err(Break::AlreadyHeld { epoch: last.epoch, held: last.seq });
    }
    if record.seq.0 != last.seq + 1 {
        return Err(Break::Gap { epoch: last.epoch, expected: last.seq + 1, found: record.seq.0 });
    }
    if matches!(record.body, Body::EpochStarted(_)) {
        return Err(Break::Beginning);
    }
    if record.previous != last.hash { Err(Break::Hash) } else { Ok(()) }
}

fn begins_epoch(before: Option<&Position>, record: &Record) -> Result<(), Break> {
    if record.seq != Seq(1) {
        return Err(Break::Gap { epoch: record.epoch, expected: 1, found: record.seq.0 });
    }
    let Body::EpochStarted(started) = &record.body else { return Err(Break::Beginning) };
    let names = (started.previous_epoch, started.previous_seq.0);
    if names != (before.map(|last| last.epoch), before.map_or(0, |last| last.seq)) {
        return Err(Break::OtherBefore);
    }
    if record.previous != before.map_or(NO_RECORD, |last| last.hash) { Err(Break::Hash) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use authority::{
        node::{Epoch, Id},
        record::{EpochStarted, Refusals},
        time::Wall,
    };

    use super::*;

    fn record(epoch: u64, seq: u64, previous: [u8; 32], body: Body) -> Record {
        Record { edge: Id(1), epoch: Epoch(epoch), seq: Seq(seq), previous, time: Wall(0), body }
    }

    fn started(previous: Option<(u64, u64)>) -> Body {
        Body::EpochStarted(EpochStarted {
            previous_epoch: previous.map(|(epoch, _)| Epoch(epoch)),
            previous_seq: Seq(previous.map_or(0, |(_, seq)| seq)),
            cut_bytes: 0,
            outcome_unknown: Vec::new(),
        })
    }

    fn other() -> Body {
        Body::Refusals(Refusals { counts: Vec::new(), samples: Vec::new() })
    }

    fn two_records() -> Chain {
        let mut chain = Chain::new(Id(1));
        chain.follow(&record(3, 1, NO_RECORD, started(None)), [1; 32]).expect("it begins");
        chain.follow(&record(3, 2, [1; 32], other()), [2; 32]).expect("it goes on");
        chain
    }

    #[test]
    fn epochs_follow_each_other_by_name_and_hash() {
        let mut chain = two_records();
        let next = record(7, 1, [2; 32], started(Some((3, 2))));
        let position = chain.follow(&next, [3; 32]).expect("a later epoch that names the last record");
        assert_eq!(position, Position { edge: Id(1), epoch: Epoch(7), seq: 1, hash: [3; 32] });
    }

    /// B12: a repeated record is known by its place; B13: one that comes too early is held back by its gap.
    #[test]
    fn b12_b13_a_repetition_and_a_gap_have_names_and_move_nothing() {
        let mut chain = two_records();
        let held = Break::AlreadyHeld { epoch: Epoch(3), held: 2 };
        assert_eq!(chain.follow(&record(3, 2, [1; 32], other()), [2; 32]), Err(held));
        assert_eq!(chain.follow(&record(2, 9, [1; 32], other()), [9; 32]), Err(held));
        let gap = Break::Gap { epoch: Epoch(3), expected: 3, found: 5 };
        assert_eq!(chain.follow(&record(3, 5, [4; 32], other()), [5; 32]), Err(gap));
        assert_eq!(chain, two_records());
    }

    #[test]
    fn what_breaks_a_chain_is_named() {
        let stranger = Record { edge: Id(2), ..record(3, 3, [2; 32], other()) };
        let other_edge = Break::OtherEdge { expected: Id(1), found: Id(2) };
        for (broken, by) in [
            (stranger, other_edge),
            (record(3, 3, [9; 32], other()), Break::Hash),
            (record(3, 3, [2; 32], started(None)), Break::Beginning),
            (record(4, 1, [2; 32], other()), Break::Beginning),
            (record(4, 2, [2; 32], other()), Break::Gap { epoch: Epoch(4), expected: 1, found: 2 }),
            (record(4, 1, [2; 32], started(Some((3, 1)))), Break::OtherBefore),
            (record(4, 1, [2; 32], started(None)), Break::OtherBefore),
            (record(4, 1, [9; 32], started(Some((3, 2)))), Break::Hash),
        ] {
            assert_eq!(two_records().follow(&broken, [3; 32]), Err(by));
        }
    }
}

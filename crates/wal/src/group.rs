//! A group: the records that are written, and synced, together.
//!
//! A group is built aside from the log: sequence numbers and hashes go on from the log's tail, and only when the disk
//! has taken all of it does the tail move. A group that the disk refused leaves no trace.

use authority::{
    archive::Position,
    node::{Epoch, Id},
    record::{Body, Outcome, Record, Refusals, Seq},
    time::Wall,
};

use crate::{
    chain,
    config::{MAX_GROUP_BYTES, MAX_RECORD_BYTES},
    error::NotRecorded,
    frame,
    queue::Answer,
};

/// The end of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tail {
    pub(crate) seq: Seq,
    pub(crate) hash: [u8; 32],
}

/// What every record of a group says of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    pub(crate) edge: Id,
    pub(crate) epoch: Epoch,
    pub(crate) time: Wall,
}

/// Records that are written together.
#[derive(Debug)]
pub(crate) struct Group {
    stamp: Stamp,
    /// The end of the chain when the whole group is written.
    pub(crate) tail: Tail,
    /// The frames.
    pub(crate) bytes: Vec<u8>,
    /// Each record, and where it begins in `bytes`.
    pub(crate) places: Vec<(Seq, usize)>,
    /// Those who wait for their record.
    pub(crate) waiting: Vec<Waiting>,
    /// The outcomes in it, to be tried again if it is not written.
    pub(crate) ended: Vec<Outcome>,
    /// The refusals in it, to be counted again if it is not written.
    pub(crate) refusals: Option<Refusals>,
}

/// One who waits for a record of the group.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) seq: Seq,
    /// Whether it is an intent, which has to be followed by an outcome.
    pub(crate) is_intent: bool,
    pub(crate) answer: Answer,
}

impl Group {
    pub(crate) fn new(stamp: Stamp, tail: Tail) -> Self {
        Self {
            stamp,
            tail,
            bytes: Vec::new(),
            places: Vec::new(),
            waiting: Vec::new(),
            ended: Vec::new(),
            refusals: None,
        }
    }

    /// Whether another group has to take what comes.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() >= MAX_GROUP_BYTES
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The place of its last record.
    pub(crate) fn position(&self) -> Position {
        let Stamp { edge, epoch, .. } = self.stamp;
        Position { edge, epoch, seq: self.tail.seq.0, hash: self.tail.hash }
    }

    /// Whether somebody waits for the group, or will look for what is in it: a sync has to follow. Refusals alone, which
    /// anybody can cause, are not worth one.
    pub(crate) fn is_awaited(&self) -> bool {
        !self.waiting.is_empty() || !self.ended.is_empty()
    }

    /// Adds a record, if all frames together then take at most `room` bytes.
    pub(crate) fn add(&mut self, body: Body, room: u64) -> Result<Seq, NotRecorded> {
        let seq = Seq(self.tail.seq.0 + 1);
        let Stamp { edge, epoch, time } = self.stamp;
        let record = Record { edge, epoch, seq, previous: self.tail.hash, time, body };
        let encoded = wire::record::encode(&record);
        if encoded.len() > MAX_RECORD_BYTES {
            return Err(NotRecorded::TooLong { bytes: encoded.len() });
        }
        if self.bytes.len() as u64 + frame::size(encoded.len()) > room {
            return Err(NotRecorded::Full);
        }
        self.places.push((seq, self.bytes.len()));
        frame::push(&mut self.bytes, &encoded);
        self.tail = Tail { seq, hash: chain::hash(&encoded) };
        Ok(seq)
    }
}

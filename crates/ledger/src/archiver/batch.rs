//! What one step archives: the records and events that the head does not hold, each chain checked, in the order of
//! their times.

use authority::{
    View,
    archive::{Head, Position},
    event::Number,
    time::Wall,
};
use wal::{
    Wal,
    chain::{Break, Chain},
};

use super::StepFailed;
use crate::segment::Leaf;

/// The most records of one step. With the events they make up one segment, far below its bound.
const MAX_RECORDS: usize = 20_000;

/// The most events of one step.
const MAX_EVENTS: usize = 20_000;

/// What one step archives.
pub struct Batch {
    /// The leaves, in order.
    pub leaves: Vec<Leaf>,
    /// The last event, of these or of the head.
    pub events_through: Number,
    /// The last record of each log, of these or of the head.
    pub positions: Vec<Position>,
}

/// What is to be archived does not continue what is archived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainBroken {
    /// A record does not follow the one before it.
    #[error("the write-ahead log does not go on where the archive ends")]
    Record(#[source] Break),
    /// An event is missing.
    #[error(
        "the events do not go on where the archive ends: event {expected} comes next, and {found} is there"
    )]
    Event {
        /// The number that comes next.
        expected: u64,
        /// The number that is there.
        found: u64,
    },
}

impl Batch {
    /// Reads what the head of `view` does not hold. Nothing, if only the archive's own bookkeeping is new.
    pub fn read(view: &View, wal: &Wal) -> Result<Option<Self>, StepFailed> {
        let head = view.authority().head();
        let (events, events_through, worth) = events(view, &head)?;
        let (records, positions) = records(wal, &head)?;
        if records.is_empty() && !worth {
            return Ok(None);
        }
        Ok(Some(Self { leaves: by_time(events, records), events_through, positions }))
    }
}

type Timed = Vec<(Wall, Leaf)>;

/// The events after the head, and whether any is more than bookkeeping.
fn events(view: &View, head: &Head) -> Result<(Timed, Number, bool), ChainBroken> {
    let (mut leaves, mut through, mut worth) = (Vec::new(), head.events_through, false);
    for happened in view.authority().unarchived(head.events_through).take(MAX_EVENTS) {
        if happened.number.0 != through.0 + 1 {
            return Err(ChainBroken::Event { expected: through.0 + 1, found: happened.number.0 });
        }
        through = happened.number;
        worth |= !happened.event.is_archive_bookkeeping();
        leaves.push((happened.time, Leaf::Event(wire::event::encode(happened))));
    }
    Ok((leaves, through, worth))
}

/// The records after the head's positions, and the positions after them.
fn records(wal: &Wal, head: &Head) -> Result<(Timed, Vec<Position>), StepFailed> {
    let mut positions = head.positions.clone();
    let held = positions.iter().position(|position| position.edge == wal.edge());
    let mut chain = held.map_or(Chain::new(wal.edge()), |at| Chain::after(positions[at]));
    let mut leaves = Vec::new();
    for stored in wal.read_after(&head.positions, MAX_RECORDS)? {
        chain.follow(&stored.record, stored.hash).map_err(ChainBroken::Record)?;
        leaves.push((stored.record.time, Leaf::Record(stored.bytes.to_vec())));
    }
    match (held, chain.last()) {
        (Some(at), Some(last)) => positions[at] = last,
        (None, Some(last)) => positions.push(last),
        (_, None) => {}
    }
    Ok((leaves, positions))
}

/// Merges the two by time. Each keeps its own order, whatever its clock did.
fn by_time(events: Timed, records: Timed) -> Vec<Leaf> {
    let mut leaves = Vec::with_capacity(events.len() + records.len());
    let mut events = events.into_iter().peekable();
    for (time, record) in records {
        while let Some((_, event)) = events.next_if(|(happened, _)| *happened <= time) {
            leaves.push(event);
        }
        leaves.push(record);
    }
    leaves.extend(events.map(|(_, event)| event));
    leaves
}

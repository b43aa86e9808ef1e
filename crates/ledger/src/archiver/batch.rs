//! What one step archives: the records and events that the head does not hold, each chain checked, in the order of
//! their times.
//!
//! What must stay true: an event or a record enters once, in the order of its chain and without a gap; and trouble with
//! one chain keeps no other out.

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

/// The most records of one step: some 5 MB of them.
const MAX_RECORDS: usize = 10_000;

/// The most events of one step.
const MAX_EVENTS: usize = 10_000;

/// What one step archives.
pub struct Batch {
    /// The leaves, in order.
    pub leaves: Vec<Leaf>,
    /// The last event, of these or of the head.
    pub events_through: Number,
    /// The last record of each log, of these or of the head, by edge.
    pub positions: Vec<Position>,
    /// Whether there is more than one step takes.
    pub more: bool,
    /// Why the log gave nothing. The events are archived all the same.
    pub log_failed: Option<StepFailed>,
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

type Timed = Vec<(Wall, Leaf)>;

impl Batch {
    /// Reads what the head of `view` does not hold. Without leaves, if only the archive's own bookkeeping is new.
    pub fn read(view: &View, wal: &Wal) -> Result<Self, ChainBroken> {
        let head = view.authority().head();
        let (events, through, worth) = events(view, &head)?;
        let (records, log_failed) = match records(wal, &head) {
            Ok(records) => (records, None),
            Err(failed) => (Vec::new(), Some(failed)),
        };
        let more = events.len() == MAX_EVENTS || records.len() == MAX_RECORDS;
        let mut batch = Self {
            leaves: Vec::new(),
            events_through: head.events_through,
            positions: head.positions,
            more,
            log_failed,
        };
        if worth || !records.is_empty() {
            if let Some((_, _, last)) = records.last() {
                batch.reach(*last);
            }
            batch.events_through = through;
            batch.leaves = by_time(events, records.into_iter().map(|(time, leaf, _)| (time, leaf)).collect());
        }
        Ok(batch)
    }

    fn reach(&mut self, last: Position) {
        match self.positions.binary_search_by_key(&last.edge, |position| position.edge) {
            Ok(at) => self.positions[at] = last,
            Err(at) => self.positions.insert(at, last),
        }
    }
}

/// The events after the head, and whether any is more than bookkeeping.
fn events(view: &View, head: &Head) -> Result<(Timed, Number, bool), ChainBroken> {
    let (mut leaves, mut through, mut worth) = (Vec::new(), head.events_through, false);
    for happened in view.authority().unarchived(head.events_through).take(MAX_EVENTS) {
        if happened.number.0 != through.0 + 1 {
            return Err(ChainBroken::Event { expected: through.0 + 1, found: happened.number.0 });
        }
        through = happened.number;
        worth |= !happened.event.is_archive_bookkeeping();
        leaves.push((happened.time, Leaf::event(&wire::event::encode(happened))));
    }
    Ok((leaves, through, worth))
}

/// The records after the head's position of the log, each with its own.
fn records(wal: &Wal, head: &Head) -> Result<Vec<(Wall, Leaf, Position)>, StepFailed> {
    let held = head.positions.iter().find(|position| position.edge == wal.edge());
    let mut chain = held.map_or(Chain::new(wal.edge()), |held| Chain::after(*held));
    let mut leaves = Vec::new();
    for stored in wal.read_after(&head.positions, MAX_RECORDS)? {
        let position = chain.follow(&stored.record, stored.hash).map_err(ChainBroken::Record)?;
        leaves.push((stored.record.time, Leaf::record(&stored.bytes), position));
    }
    Ok(leaves)
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

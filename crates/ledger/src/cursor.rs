//! Cursors: how far a reader has come. Opaque to readers; within, the last event and the last record of each log that
//! were seen.
//!
//! It names what was seen and not where it stood, so a reader goes on without a gap while entries move from the
//! write-ahead log into the archive under it.

use std::{collections::BTreeMap, fmt, str::FromStr};

use authority::{
    archive::{Head, Position},
    event::{Happened, Number},
    node::{Epoch, Id},
    record::{Record, Seq},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::entry::{Content, Entry};

/// The version byte of the text form.
const VERSION: u8 = 1;

/// The most logs a cursor speaks of; more than any cluster has.
const MAX_LOGS: usize = 10_000;

/// How far a reader has come.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Cursor {
    events_through: Number,
    records_through: BTreeMap<Id, (Epoch, Seq)>,
}

/// A text is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no cursor of the audit; use one that an answer gave, or none to begin anew")]
pub struct NotACursor;

impl Cursor {
    /// Before everything.
    pub fn start() -> Self {
        Self::default()
    }

    /// Past these: the last event, and the last record of each log; of several places in one log the later counts.
    pub(crate) fn past(events: Number, records: impl Iterator<Item = (Id, (Epoch, Seq))>) -> Self {
        let mut cursor = Self { events_through: events, ..Self::default() };
        for (edge, place) in records {
            let seen = cursor.records_through.entry(edge).or_insert(place);
            *seen = (*seen).max(place);
        }
        cursor
    }

    /// Whether the reader has seen everything that `head` holds.
    pub(crate) fn covers(&self, head: &Head) -> bool {
        let seen = |position: &Position| {
            let place = self.records_through.get(&position.edge);
            place.is_some_and(|place| (position.epoch, Seq(position.seq)) <= *place)
        };
        head.events_through <= self.events_through && head.positions.iter().all(seen)
    }

    /// Moves past everything that `head` holds.
    pub(crate) fn pass_head(&mut self, head: &Head) {
        let own = self.records_through.iter().map(|(edge, place)| (*edge, *place));
        let heads = head.positions.iter().map(|at| (at.edge, (at.epoch, Seq(at.seq))));
        *self = Self::past(self.events_through.max(head.events_through), own.chain(heads));
    }

    /// Whether the reader has seen `entry`.
    pub fn has_seen(&self, entry: &Entry) -> bool {
        match &entry.content {
            Content::Event(happened) => self.has_seen_event(happened),
            Content::Record(record) => self.has_seen_record(record),
        }
    }

    pub(crate) fn has_seen_event(&self, happened: &Happened) -> bool {
        happened.number <= self.events_through
    }

    pub(crate) fn has_seen_record(&self, record: &Record) -> bool {
        let seen = self.records_through.get(&record.edge);
        seen.is_some_and(|place| (record.epoch, record.seq) <= *place)
    }

    /// Moves past `entry`.
    pub fn pass(&mut self, entry: &Entry) {
        match &entry.content {
            Content::Event(happened) => self.events_through = self.events_through.max(happened.number),
            Content::Record(record) => {
                let seen = self.records_through.entry(record.edge).or_insert((record.epoch, record.seq));
                *seen = (*seen).max((record.epoch, record.seq));
            }
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![VERSION];
        bytes.extend(self.events_through.0.to_be_bytes());
        for (edge, (epoch, seq)) in &self.records_through {
            bytes.extend([edge.0, epoch.0, seq.0].map(u64::to_be_bytes).concat());
        }
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Cursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotACursor)?;
        let numbers = bytes.strip_prefix(&[VERSION]).ok_or(NotACursor)?.as_chunks::<8>();
        let ([through, logs @ ..], []) = numbers else { return Err(NotACursor) };
        let number = |bytes: &[u8; 8]| u64::from_be_bytes(*bytes);
        let mut cursor = Self { events_through: Number(number(through)), ..Self::default() };
        if logs.len() % 3 != 0 || logs.len() / 3 > MAX_LOGS {
            return Err(NotACursor);
        }
        for log in logs.chunks_exact(3) {
            cursor
                .records_through
                .insert(Id(number(&log[0])), (Epoch(number(&log[1])), Seq(number(&log[2]))));
        }
        Ok(cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_log_is_the_latest_place_named_of_it() {
        let place = |edge, epoch, seq| (Id(edge), (Epoch(epoch), Seq(seq)));
        let of = |places: Vec<_>| Cursor::past(Number(7), places.into_iter());
        let end = of(vec![place(1, 2, 3), place(2, 1, 9), place(1, 3, 1)]);
        assert_eq!(end, of(vec![place(1, 3, 1), place(2, 1, 9)]));
        assert_eq!(of(vec![place(1, 3, 1), place(1, 2, 3)]), of(vec![place(1, 3, 1)]));
    }

    #[test]
    fn a_cursor_reads_back_and_nothing_else_is_one() {
        let mut cursor = Cursor { events_through: Number(7), ..Cursor::default() };
        cursor.records_through.insert(Id(1), (Epoch(2), Seq(3)));
        cursor.records_through.insert(Id(2), (Epoch(1), Seq(9)));
        assert_eq!(cursor.to_string().parse(), Ok(cursor.clone()));
        assert_eq!(Cursor::start().to_string().parse(), Ok(Cursor::start()));
        for text in ["", "AA", "AQ", "not base64!", &format!("{cursor}AAAA")] {
            assert_eq!(text.parse::<Cursor>(), Err(NotACursor), "{text:?}");
        }
    }
}

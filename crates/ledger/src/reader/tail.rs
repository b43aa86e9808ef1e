//! The tail: what the archive does not hold yet, from the write-ahead log and from the state.
//!
//! What must stay true: it is read at the head the archive is read at, so that nothing falls between the two; and each
//! chain keeps its own order, whatever its clock did, because a cursor passes over everything before the entry it names.

use std::{collections::VecDeque, sync::Arc};

use authority::{View, archive::Head, event::Happened, record::Record};
use wal::Wal;

use super::{ReadRefused, Reader, calls::Calls};
use crate::{
    cursor::Cursor,
    entry::{Content, Entry},
};

/// The most records of the tail that one page looks at. A tail is longer only while the archiver is held up.
const MAX_TAIL_RECORDS: usize = 50_000;

/// How many records are read from the log at once.
const READ_AT_ONCE: usize = 10_000;

/// Which end of a long tail is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// What comes first.
    Oldest,
    /// What came last.
    Newest,
}

/// What the archive does not hold.
pub(super) struct Tail {
    /// The head it is behind.
    pub(super) head: Head,
    /// What the reader has not seen, in order.
    pub(super) entries: Vec<Entry>,
    /// Whether there is more behind the entries.
    pub(super) more: bool,
}

impl Reader {
    /// The tail behind the head of now, as far as `after` has not seen it.
    pub(super) async fn tail(&self, after: &Cursor, end: End) -> Result<Tail, ReadRefused> {
        let (gate, wal) = (Arc::clone(&self.gate), self.wal.clone());
        let (calls, after) = (Arc::clone(&self.calls), after.clone());
        let read = tokio::task::spawn_blocking(move || {
            loop {
                let view = gate.view().ok_or(ReadRefused::NoView)?;
                let head = view.authority().head();
                match tail(&view, &wal, &calls, &after, end) {
                    // Meanwhile a newer head let the log trim what this one does not hold: read at that one.
                    Err(_) if gate.view().is_some_and(|newer| newer.authority().head() != head) => {}
                    read => return read,
                }
            }
        });
        read.await.map_err(|_| ReadRefused::Stopping)?
    }
}

fn tail(view: &View, wal: &Wal, calls: &Calls, after: &Cursor, end: End) -> Result<Tail, ReadRefused> {
    let head = view.authority().head();
    let (records, more) = records(wal, &head, calls, after, end)?;
    let events = view.authority().unarchived(head.events_through);
    let events = events.filter(|happened| !after.has_seen_event(happened)).cloned().collect();
    Ok(Tail { entries: by_time(events, records, more), head, more })
}

/// The records that `after` has not seen, and whether there are more behind them.
fn records(
    wal: &Wal,
    head: &Head,
    calls: &Calls,
    after: &Cursor,
    end: End,
) -> Result<(VecDeque<Arc<Record>>, bool), ReadRefused> {
    let mut unseen = VecDeque::new();
    let mut positions = head.positions.clone();
    loop {
        let page = wal.read_after(&positions, READ_AT_ONCE)?;
        let Some(last) = page.last() else { return Ok((unseen, false)) };
        positions = vec![last.position()];
        for stored in page {
            calls.note(&stored.record);
            if after.has_seen_record(&stored.record) {
                continue;
            }
            if unseen.len() == MAX_TAIL_RECORDS {
                if end == End::Oldest {
                    return Ok((unseen, true));
                }
                unseen.pop_front();
            }
            unseen.push_back(Arc::new(stored.record));
        }
    }
}

/// Merges the two by time, each in its own order. If there are more records, events later than the last one wait for
/// them.
fn by_time(events: VecDeque<Arc<Happened>>, records: VecDeque<Arc<Record>>, more: bool) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(events.len() + records.len());
    let mut events = events.into_iter().peekable();
    let mut add = |content| entries.push(Entry { content, archived: false, call: None });
    for record in records {
        while let Some(happened) = events.next_if(|happened| happened.time <= record.time) {
            add(Content::Event(happened));
        }
        add(Content::Record(record));
    }
    if !more {
        events.for_each(|happened| add(Content::Event(happened)));
    }
    entries
}

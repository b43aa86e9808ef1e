//! Reading the record: the archive, and behind it what the archive does not hold yet.
//!
//! Entries come in the order of the archive, then those of the tail by their times. A page answers a cursor that names
//! what was seen, so reading goes on without a gap while the tail is archived.

mod pages;

use std::{collections::VecDeque, sync::Arc};

use authority::{Happened, View, archive::Head, enforcement::Gate, record::Record};
use wal::{ReadFailed, Wal};

pub use self::pages::{Page, Query};
use crate::{
    cursor::Cursor,
    entry::{Content, Entry},
    segment::{Leaf, Segment},
    store::{Store, StoreFailed},
};

/// The most records of the tail that are read at once. What is beyond it is archived within moments.
const MAX_TAIL_RECORDS: usize = 50_000;

/// Reads the record of one node.
#[derive(Clone, Debug)]
pub struct Reader {
    store: Store,
    wal: Wal,
    gate: Arc<Gate>,
}

/// The record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadRefused {
    /// The node has not loaded its state yet.
    #[error("this node has no state yet; try again in a moment")]
    NoView,
    /// The archive cannot be read.
    #[error(transparent)]
    Store(#[from] StoreFailed),
    /// The write-ahead log cannot be read.
    #[error("the write-ahead log cannot be read")]
    Log(#[from] ReadFailed),
    /// A leaf of the archive cannot be read.
    #[error("an entry of {segment} cannot be read; run `portcullis audit verify`")]
    Leaf {
        /// In which segment.
        segment: String,
        /// Why.
        #[source]
        source: wire::Malformed,
    },
    /// The read was broken off, because the process stops.
    #[error("the node is stopping")]
    Stopping,
}

impl Reader {
    /// A reader of this archive, this log and this state.
    pub fn new(store: Store, wal: Wal, gate: Arc<Gate>) -> Self {
        Self { store, wal, gate }
    }

    /// The entries after `from`, archive first. Segments the cursor is wholly past are not read, but for the newest of
    /// them: it may hold the intents of outcomes that come later.
    async fn after(&self, from: &Cursor) -> Result<Vec<Entry>, ReadRefused> {
        // The tail is read at the head that the archive is read at, so that nothing falls between the two.
        let (head, tail) = self.tail().await?;
        let mut segments = VecDeque::new();
        let mut next = head.segment;
        while !next.is_empty() {
            let segment = self.store.segment(&next).await?;
            let entries = entries_of(&segment, &next)?;
            next = segment.header.previous_segment;
            let seen = entries.iter().all(|entry| from.has_seen(entry));
            segments.push_front(entries);
            if seen {
                break;
            }
        }
        Ok(segments.into_iter().flatten().chain(tail).collect())
    }

    /// The head, and the entries that it does not hold.
    async fn tail(&self) -> Result<(Head, Vec<Entry>), ReadRefused> {
        let (gate, wal) = (Arc::clone(&self.gate), self.wal.clone());
        let read = tokio::task::spawn_blocking(move || {
            loop {
                let view = gate.view().ok_or(ReadRefused::NoView)?;
                let head = view.authority().head();
                match wal.read_after(&head.positions, MAX_TAIL_RECORDS) {
                    Ok(stored) => {
                        let records = stored.into_iter().map(|stored| Arc::new(stored.record));
                        return Ok((head.clone(), merge(&view, &head, records)));
                    }
                    // Meanwhile a newer head let the log trim what this one does not hold: read at that one.
                    Err(_) if gate.view().is_some_and(|newer| newer.authority().head() != head) => {}
                    Err(failed) => return Err(failed.into()),
                }
            }
        });
        read.await.map_err(|_| ReadRefused::Stopping)?
    }
}

/// The events and records that `head` does not hold, by time.
fn merge(view: &View, head: &Head, records: impl Iterator<Item = Arc<Record>>) -> Vec<Entry> {
    let events =
        view.authority().unarchived(head.events_through).map(|happened| Content::Event(Arc::clone(happened)));
    let contents = events.chain(records.map(Content::Record));
    let mut entries: Vec<_> =
        contents.map(|content| Entry { content, archived: false, call: None }).collect();
    // Stable, and within each chain times seldom run backwards; where they do, the cursor still names each entry.
    entries.sort_by_key(Entry::time);
    entries
}

fn entries_of(segment: &Segment, name: &str) -> Result<Vec<Entry>, ReadRefused> {
    let unreadable = |source| ReadRefused::Leaf { segment: name.to_owned(), source };
    let entry = |leaf: &Leaf| {
        let content = match leaf {
            Leaf::Event(bytes) => {
                Content::Event(Arc::<Happened>::new(wire::event::decode(bytes).map_err(unreadable)?))
            }
            Leaf::Record(bytes) => {
                Content::Record(Arc::new(wire::record::decode(bytes).map_err(unreadable)?))
            }
        };
        Ok(Entry { content, archived: true, call: None })
    };
    segment.leaves.iter().map(entry).collect()
}

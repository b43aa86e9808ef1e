//! Reading the record: the archive, and behind it what the archive does not hold yet.
//!
//! Entries come in the order of the archive, then those of the tail by their times. A page answers a cursor that names
//! what was seen, so reading goes on without a gap while the tail is archived. It trusts the files as far as their
//! checksums go; whether they are what was signed is for [`crate::verify()`] to say.

mod calls;
mod history;
mod pages;
mod progress;
mod tail;

use std::sync::Arc;

use authority::enforcement::Gate;
use wal::{ReadFailed, Wal};

use self::calls::Calls;
pub use self::{
    pages::{Page, Query},
    progress::Progress,
};
use crate::store::{Store, StoreFailed};

/// Reads the record of one node. Clones share what they remember of calls.
#[derive(Clone, Debug)]
pub struct Reader {
    store: Store,
    wal: Wal,
    gate: Arc<Gate>,
    calls: Arc<Calls>,
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
        Self { store, wal, gate, calls: Arc::default() }
    }
}

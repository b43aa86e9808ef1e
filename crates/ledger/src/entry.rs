//! An entry of the record as readers see it: one event or one record, and whether the archive holds it yet.
//!
//! It carries the whole value. What must not leave (ciphertext, token hashes) is left out by whoever presents it; this
//! crate gives no text form of them.

use std::sync::Arc;

use authority::{
    Happened,
    record::{Body, CallFacts, Record},
    time::Wall,
};

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub content: Content,
    /// Whether the archive holds it. If not, it is in the write-ahead log or in the state.
    pub archived: bool,
    /// Of an outcome: the call it ends, if the reader came by its intent.
    pub call: Option<Arc<CallFacts>>,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A change of the state.
    Event(Arc<Happened>),
    /// A record of a call.
    Record(Arc<Record>),
}

impl Entry {
    /// When it was written, on its writer's clock.
    pub fn time(&self) -> Wall {
        match &self.content {
            Content::Event(happened) => happened.time,
            Content::Record(record) => record.time,
        }
    }

    /// Who called what, for the entries that speak of a call.
    pub fn call(&self) -> Option<&CallFacts> {
        match &self.content {
            Content::Event(_) => None,
            Content::Record(record) => match &record.body {
                Body::Intent(intent) => Some(&intent.call),
                Body::Denied(denied) => Some(&denied.call),
                Body::Outcome(_) => self.call.as_deref(),
                Body::EpochStarted(_) | Body::Refusals(_) => None,
            },
        }
    }

    /// Its id, the same whoever reads it: `events/<number>` or `records/<edge>/<epoch>/<seq>`.
    pub fn id(&self) -> String {
        match &self.content {
            Content::Event(happened) => format!("events/{}", happened.number.0),
            Content::Record(record) => format!("records/{}/{}/{}", record.edge, record.epoch, record.seq.0),
        }
    }
}

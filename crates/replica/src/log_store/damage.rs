//! What can be wrong with a log that was read from a disk. None of it is ever repaired: a voter that answers from a log
//! with a piece missing can undo what a majority was told is done. It says what it found and does not start.

use std::path::PathBuf;

use crate::{identity::NotAnIdentity, raft_message::NotAMessage, type_config::Vote};

/// What to do about any of it; the end of every message.
macro_rules! what_to_do {
    () => {
        "; do not repair it: keep the directory for inspection and restore a backup into an empty one, or, if other \
         voters are healthy, let this node join them again under a new id"
    };
}

/// What is wrong with the log.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// A record's checksum is not that of its bytes.
    #[error("entry {index} of the raft log is damaged (its checksum does not match){}", what_to_do!())]
    Entry {
        /// The index of the entry.
        index: u64,
    },
    /// A record that is whole cannot be understood.
    #[error("entry {index} of the raft log cannot be read; if a newer version wrote it, start that version{}", what_to_do!())]
    Unreadable {
        /// The index of the entry.
        index: u64,
        /// What the decoder found.
        #[source]
        source: NotAMessage,
    },
    /// A record says that it belongs elsewhere.
    #[error("entry {index} of the raft log says that it is entry {says}{}", what_to_do!())]
    Misplaced {
        /// Where it was found.
        index: u64,
        /// Where it says it belongs.
        says: u64,
    },
    /// Entries are missing in the middle.
    #[error("the raft log has a hole: entry {index} is missing and entry {found} is there{}", what_to_do!())]
    Hole {
        /// The first entry that is missing.
        index: u64,
        /// The entry after the hole.
        found: u64,
    },
    /// Entries are missing at the end that were acknowledged.
    #[error("the raft log ends before entry {index}, and entries up to {acknowledged} were acknowledged{}", what_to_do!())]
    Shortened {
        /// The first entry that is missing.
        index: u64,
        /// The last entry that was acknowledged.
        acknowledged: u64,
    },
    /// The vote is older than the last acknowledged one.
    #[error("the vote went back from {acknowledged} to {found}{}", what_to_do!())]
    VoteWentBack {
        /// The last vote that was acknowledged.
        acknowledged: String,
        /// The vote that was found.
        found: String,
    },
    /// A record other than an entry is damaged.
    #[error("the record of the {record} in the raft log is damaged{}", what_to_do!())]
    Record {
        /// What the record is of.
        record: &'static str,
    },
    /// A record other than an entry cannot be understood.
    #[error("the record of the {record} in the raft log cannot be read{}", what_to_do!())]
    UnreadableRecord {
        /// What the record is of.
        record: &'static str,
        /// What the decoder found.
        #[source]
        source: NotAMessage,
    },
    /// The record of whose log it is cannot be understood.
    #[error("the record of whose raft log it is cannot be read{}", what_to_do!())]
    UnreadableIdentity {
        /// What the decoder found.
        #[source]
        source: NotAnIdentity,
    },
    /// The file that says how much was acknowledged is gone or damaged.
    #[error("{} is missing or damaged, so how much was acknowledged is not known{}", path.display(), what_to_do!())]
    Watermark {
        /// The file.
        path: PathBuf,
    },
    /// The log is gone, and the file that says how much was acknowledged is not.
    #[error("the raft log {} is gone{}", path.display(), what_to_do!())]
    Gone {
        /// Where it was.
        path: PathBuf,
    },
    /// sled refused to open or to read its files.
    #[error("the files of the raft log cannot be read{}", what_to_do!())]
    Sled {
        /// What sled said.
        #[source]
        source: sled::Error,
    },
    /// sled gave up in a way it has no error for.
    #[error("the files of the raft log could not be made sense of{}", what_to_do!())]
    Panicked,
}

impl Damage {
    pub(super) fn vote_went_back(acknowledged: &Vote, found: &Vote) -> Self {
        Self::VoteWentBack { acknowledged: acknowledged.to_string(), found: found.to_string() }
    }
}

impl From<sled::Error> for Damage {
    fn from(source: sled::Error) -> Self {
        Self::Sled { source }
    }
}

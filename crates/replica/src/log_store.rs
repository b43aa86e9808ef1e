//! The log store: Raft's log and vote, durable, behind openraft's traits.
//!
//! ```text
//!   openraft ──► LogStore (handle) ── one bounded channel ──► thread ──► DiskLog (sled, sync, watermark)
//!                LogReader (handle) ──────────┘
//! ```
//!
//! sled blocks and a sync takes milliseconds, so all of it happens on one thread of its own. All requests go through
//! one channel, reads too: that is what keeps votes and entries in the order they were given, and what makes an entry
//! readable as soon as it was handed over. No other crate could tell if another store stood here: what Raft needs of
//! one is openraft's two traits, which its storage suite checks.

mod check;
mod damage;
mod disk_log;
mod key;
mod record;
mod sled_files;
mod thread;
mod watermark;

use std::{fmt::Debug, ops::Bound, ops::RangeBounds};

use openraft::{
    LogState, OptionalSend, RaftLogReader, StorageIOError,
    storage::{LogFlushed, RaftLogStorage},
};

pub(crate) use self::{
    check::Contents,
    thread::{LogStore, StoreThread, open},
};
pub use self::{damage::Damage, disk_log::OpenLogFailed};
use crate::type_config::{Entry, LogId, StorageError, TypeConfig, Vote};

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<R: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: R,
    ) -> Result<Vec<Entry>, StorageError> {
        let start = match range.start_bound() {
            Bound::Included(start) => *start,
            Bound::Excluded(before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(last) => last.saturating_add(1),
            Bound::Excluded(end) => *end,
            Bound::Unbounded => u64::MAX,
        };
        self.entries(start, end).await.map_err(|error| StorageIOError::read_logs(&error).into())
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, StorageError> {
        let contents = self.contents().await.map_err(|error| StorageIOError::read_logs(&error))?;
        Ok(LogState { last_purged_log_id: contents.purged, last_log_id: contents.last })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), StorageError> {
        LogStore::save_vote(self, *vote).await.map_err(|error| StorageIOError::write_vote(&error).into())
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, StorageError> {
        let contents = self.contents().await.map_err(|error| StorageIOError::read_vote(&error))?;
        Ok(contents.vote)
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), StorageError> {
        let Some(committed) = committed else { return Ok(()) };
        LogStore::save_committed(self, committed)
            .await
            .map_err(|error| StorageIOError::write_logs(&error).into())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, StorageError> {
        self.committed().await.map_err(|error| StorageIOError::read_logs(&error).into())
    }

    async fn append<I>(&mut self, entries: I, flushed: LogFlushed<TypeConfig>) -> Result<(), StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries = entries.into_iter().collect();
        LogStore::append(self, entries, flushed)
            .await
            .map_err(|error| StorageIOError::write_logs(&error).into())
    }

    async fn truncate(&mut self, first: LogId) -> Result<(), StorageError> {
        LogStore::truncate(self, first.index).await.map_err(|error| StorageIOError::write_logs(&error).into())
    }

    async fn purge(&mut self, upto: LogId) -> Result<(), StorageError> {
        LogStore::purge(self, upto).await.map_err(|error| StorageIOError::write_logs(&error).into())
    }
}

#[cfg(test)]
mod tests;

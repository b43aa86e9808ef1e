//! Keeps the log short: a snapshot every so many entries, and the log cut below the older of the two kept ones.
//!
//! openraft could do both by itself; it does neither here. It would end the Raft node when a snapshot does not fit on
//! the disk, so none is begun below the free-space mark; and it would cut the log below the newest snapshot, so that
//! the one before could not be fallen back to.

use std::path::PathBuf;

use seams::SharedDisk;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{config::Config, raft_stopped::RaftStopped, type_config::Raft};

/// What decides when a snapshot is made and how far the log is cut.
pub(crate) struct Compaction {
    raft: Raft,
    disk: SharedDisk,
    dir: PathBuf,
    every: u64,
    free_space_mark_bytes: u64,
    /// The last published entry.
    published: watch::Receiver<Option<u64>>,
    /// The last entry that the log is not needed for.
    log_spare_through: watch::Receiver<Option<u64>>,
    /// The entry at which the last snapshot was made or asked for.
    last: u64,
}

impl Compaction {
    /// What `config` asks for, going on from a snapshot of the entries up to `last`.
    pub(crate) fn new(
        raft: Raft,
        disk: SharedDisk,
        config: &Config,
        published: watch::Receiver<Option<u64>>,
        log_spare_through: watch::Receiver<Option<u64>>,
        last: u64,
    ) -> Self {
        let (dir, every) = (config.dir.clone(), config.entries_per_snapshot.max(1));
        let free_space_mark_bytes = config.free_space_mark_bytes;
        Self { raft, disk, dir, every, free_space_mark_bytes, published, log_spare_through, last }
    }

    /// Works until it is told to stop, or the Raft node has stopped.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            stopped = self.follow() => tracing::info!(error = %stopped, "no snapshots are made any more"),
        }
    }

    async fn follow(&mut self) -> RaftStopped {
        self.log_spare_through.mark_changed();
        loop {
            let done = tokio::select! {
                changed = self.log_spare_through.changed() => match changed {
                    Ok(()) => self.purge().await,
                    Err(_) => return RaftStopped::ended(),
                },
                changed = self.published.changed() => match changed {
                    Ok(()) => self.snapshot().await,
                    Err(_) => return RaftStopped::ended(),
                },
            };
            if let Err(stopped) = done {
                return stopped;
            }
        }
    }

    async fn purge(&mut self) -> Result<(), RaftStopped> {
        let through = *self.log_spare_through.borrow_and_update();
        let Some(through) = through else { return Ok(()) };
        self.raft.trigger().purge_log(through).await.map_err(RaftStopped::because)
    }

    async fn snapshot(&mut self) -> Result<(), RaftStopped> {
        let published = self.published.borrow_and_update().unwrap_or_default();
        if published < self.last.saturating_add(self.every) {
            return Ok(());
        }
        self.last = published;
        match self.disk.free_bytes(&self.dir) {
            Ok(free) if free >= self.free_space_mark_bytes => {
                self.raft.trigger().snapshot().await.map_err(RaftStopped::because)
            }
            Ok(free) => {
                tracing::error!(free, "no snapshot is made while so little space is free; the log grows");
                Ok(())
            }
            Err(error) => {
                tracing::error!(%error, "the free space is not known, so no snapshot is made; the log grows");
                Ok(())
            }
        }
    }
}

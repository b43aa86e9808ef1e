//! The state machine: the authority in memory, moved on by committed entries and by nothing else.
//!
//! Applying folds all the commands it was given, then publishes one view, and only then answers: when the answer to a
//! narrowing command is out, this node allows nothing that it took away, and every call it cut is cut. Nothing is
//! written here; the log and the snapshots are what a restart begins from.

use std::{io, sync::Arc};

use authority::{
    Authority, View,
    command::{self, Class},
    enforcement::Gate,
    event::Revision,
    time::Wall,
};
use openraft::{
    EntryPayload, OptionalSend, RaftSnapshotBuilder, Snapshot, StorageIOError, storage::RaftStateMachine,
};
use seams::SharedClock;
use tokio::sync::watch;

use crate::{
    cut_attribution::{CutCalls, Steps, attribute},
    snapshot_store::{Loaded, SnapshotFile, SnapshotStore},
    type_config::{
        Answered, Batch, Entry, LogId, Reply, SnapshotMeta, StorageError, StoredMembership, TypeConfig,
    },
};

/// The state machine of this node.
pub(crate) struct StateMachine {
    state: Applied,
    gate: Arc<Gate>,
    clock: SharedClock,
    snapshots: Arc<SnapshotStore>,
    published: watch::Sender<Option<u64>>,
}

/// The state after some entry. A clone shares what it does not change, and so costs a few pointers.
#[derive(Clone, Default)]
struct Applied {
    authority: Authority,
    last: Option<LogId>,
    membership: StoredMembership,
}

/// Builds one snapshot of the state at the instant it was made.
pub(crate) struct SnapshotBuilder {
    state: Applied,
    snapshots: Arc<SnapshotStore>,
}

impl StateMachine {
    /// The state machine that goes on from a snapshot, or from nothing. What it loaded is published at once.
    pub(crate) fn new(
        loaded: Option<Loaded>,
        gate: Arc<Gate>,
        clock: SharedClock,
        snapshots: Arc<SnapshotStore>,
    ) -> Self {
        let state = loaded.map_or_else(Applied::default, Applied::from);
        let published = watch::Sender::new(None);
        let machine = Self { state, gate, clock, snapshots, published };
        machine.publish();
        machine
    }

    /// The index of the last entry whose view is published, as it changes.
    pub(crate) fn published(&self) -> watch::Receiver<Option<u64>> {
        self.published.subscribe()
    }

    /// Publishes the view of the state, cuts what it does not allow any more and answers those calls with the time they
    /// were judged at. It blocks, but only for write calls on sockets that do not wait themselves.
    fn publish(&self) -> (Vec<Arc<authority::enforcement::Call>>, Wall) {
        let wall = Wall(self.clock.wall_millis());
        let cut = self.gate.publish(self.state.view(), wall);
        self.published.send_replace(self.state.last.map(|last| last.index));
        (cut, wall)
    }

    /// Applies the commands of one entry; keeps the view after each narrowing one.
    fn apply_batch(&mut self, batch: &Batch, revision: Revision, steps: &mut Steps) -> Reply {
        let answered = batch.0.iter().map(|command| {
            let outcome = command::apply(&mut self.state.authority, command, revision).outcome;
            if command.body.class() == Class::Narrowing {
                steps.narrowed.push(View::new(self.state.authority.clone(), revision));
            }
            Answered {
                outcome,
                narrowing: command.body.class() == Class::Narrowing,
                cut: CutCalls::default(),
            }
        });
        Reply(answered.collect())
    }
}

impl Applied {
    fn revision(&self) -> Revision {
        Revision(self.last.map_or(0, |last| last.index))
    }

    fn view(&self) -> View {
        View::new(self.authority.clone(), self.revision())
    }
}

impl From<Loaded> for Applied {
    fn from(Loaded { meta, authority }: Loaded) -> Self {
        Self { authority, last: meta.last_log_id, membership: meta.last_membership }
    }
}

impl RaftStateMachine<TypeConfig> for StateMachine {
    type SnapshotBuilder = SnapshotBuilder;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), StorageError> {
        Ok((self.state.last, self.state.membership.clone()))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Reply>, StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let mut steps = Steps { before: self.state.view(), narrowed: Vec::new() };
        let mut replies = Vec::new();
        for entry in entries {
            self.state.last = Some(entry.log_id);
            replies.push(match entry.payload {
                EntryPayload::Blank => Reply::default(),
                EntryPayload::Normal(batch) => {
                    self.apply_batch(&batch, Revision(entry.log_id.index), &mut steps)
                }
                EntryPayload::Membership(membership) => {
                    self.state.membership = StoredMembership::new(Some(entry.log_id), membership);
                    Reply::default()
                }
            });
        }
        let (cut, wall) = self.publish();
        let narrowing =
            replies.iter_mut().flat_map(|reply| &mut reply.0).filter(|answered| answered.narrowing);
        for (answered, share) in narrowing.zip(attribute(cut, &steps, wall)) {
            answered.cut = share;
        }
        Ok(replies)
    }

    async fn get_snapshot_builder(&mut self) -> SnapshotBuilder {
        SnapshotBuilder { state: self.state.clone(), snapshots: Arc::clone(&self.snapshots) }
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<SnapshotFile>, StorageError> {
        Ok(Box::new(self.snapshots.receiving()))
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta,
        snapshot: Box<SnapshotFile>,
    ) -> Result<(), StorageError> {
        let (snapshots, meta) = (Arc::clone(&self.snapshots), meta.clone());
        let install = move || {
            let authority = snapshots.read(&snapshot).map_err(io::Error::other)?.authority;
            snapshots.write(&meta, &authority)?;
            Ok(Loaded { meta, authority })
        };
        let loaded = blocking(install).await.map_err(|error| StorageIOError::write_snapshot(None, &error))?;
        self.state = Applied::from(loaded);
        self.publish();
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot<TypeConfig>>, StorageError> {
        let current = self.snapshots.current();
        Ok(current.map(|(meta, file)| Snapshot { meta, snapshot: Box::new(file) }))
    }
}

impl RaftSnapshotBuilder<TypeConfig> for SnapshotBuilder {
    /// Writes the snapshot. If the disk does not take it, the one before is handed back, which openraft takes as "no
    /// news": a log that grows is better than a node that stops, because a full disk must not keep a revocation out.
    async fn build_snapshot(&mut self) -> Result<Snapshot<TypeConfig>, StorageError> {
        let Applied { authority, last, membership } = self.state.clone();
        let snapshot_id = last.map_or_else(|| "empty".to_owned(), |last| last.to_string());
        let meta = SnapshotMeta { last_log_id: last, last_membership: membership, snapshot_id };
        let snapshots = Arc::clone(&self.snapshots);
        let written = blocking(move || {
            let file = snapshots.write(&meta, &authority)?;
            Ok((meta, file))
        });
        let (meta, file) = match written.await {
            Ok(written) => written,
            Err(error) => {
                tracing::error!(%error, "a snapshot could not be written; the log grows until one can");
                let current = self.snapshots.current();
                current.ok_or_else(|| StorageIOError::write_snapshot(None, &error))?
            }
        };
        Ok(Snapshot { meta, snapshot: Box::new(file) })
    }
}

/// Runs what waits for a disk where it holds up no task.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

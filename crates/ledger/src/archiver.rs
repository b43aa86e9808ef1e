//! The archiver: moves synced records and committed events into the archive, and lets their writers forget them.
//!
//! One step, in an order of which any prefix may be all that happened:
//!
//! 1. Read what the head does not hold: records from the write-ahead log, events from the state. Check every chain.
//! 2. Write a segment, with create-only. Until step 3 it is a file that nobody looks for.
//! 3. Commit the head through the authority, by compare-and-set. Now it is archived.
//! 4. Sign the head and write the checkpoint.
//! 5. Only now let the log trim what the head holds; the state dropped its events when it folded step 3.
//!
//! After a crash the next start finds the committed head, signs its checkpoint if step 4 is missing, and goes on. A head
//! commit makes events itself; they wait for the next head that something else causes, or heads would never end.

mod batch;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use authority::{archive::Head, enforcement::Gate, name::Name};
use keyring::{signed_note::NoteNotSigned, signing::AuditSigner};
use seams::{SharedEntropy, entropy};
use tokio::time::{MissedTickBehavior, interval};
use wal::{ReadFailed, Wal};

use self::batch::{Batch, ChainBroken};
use crate::{
    checkpoint::Checkpoint,
    merkle::Tree,
    segment::{Header, Leaf, Segment},
    store::{Store, StoreFailed, VERIFIER, checkpoint_name, segment_name},
};

/// How often the archiver looks for something new. A record is archived at most this long, and a step, after it was
/// synced; until then `audit list` shows it as not yet archived.
const STEP_INTERVAL: Duration = Duration::from_secs(1);

/// The most steps that follow each other at once when there is a backlog: a million records, before the archiver looks
/// again whether it has to stop.
const MAX_STEPS_AT_ONCE: usize = 100;

/// Commits a new head of the archive. The binary joins this to the replica.
#[async_trait]
pub trait CommitHead: Send + Sync + 'static {
    /// Commits `head`, if the committed one has the height `previous_height`.
    async fn commit_head(&self, previous_height: u64, head: Head) -> Result<(), HeadNotCommitted>;
}

/// The authority did not take the head.
#[derive(Debug, thiserror::Error)]
#[error("the authority did not take the new head of the archive")]
pub struct HeadNotCommitted(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// A step could not be made. The next one tries again.
#[derive(Debug, thiserror::Error)]
pub enum StepFailed {
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreFailed),
    /// The write-ahead log could not be read.
    #[error("the write-ahead log cannot be read")]
    Log(#[from] ReadFailed),
    /// A chain does not go on where the head says.
    #[error("what is to be archived does not continue what is archived")]
    Chain(#[from] ChainBroken),
    /// The head was not committed.
    #[error(transparent)]
    Head(#[from] HeadNotCommitted),
    /// The checkpoint could not be signed.
    #[error("the checkpoint cannot be signed")]
    Sign(#[from] NoteNotSigned),
    /// The newest segment does not give the committed head.
    #[error(
        "the newest segment of the archive does not give its committed head; run `portcullis audit verify`"
    )]
    Tree,
    /// The read was broken off, because the process stops.
    #[error("the archiver is stopping")]
    Stopping,
}

/// What an archiver works with.
pub struct Parts {
    /// Where the archive is.
    pub store: Store,
    /// The log whose records are archived.
    pub wal: Wal,
    /// The state whose events are archived.
    pub gate: Arc<Gate>,
    /// Where heads are committed.
    pub commit: Arc<dyn CommitHead>,
    /// Signs checkpoints.
    pub signer: AuditSigner,
    /// The id of the cluster, for the checkpoints' origin.
    pub cluster: Name,
    /// For names of segments.
    pub entropy: SharedEntropy,
}

/// The archiver of this node.
pub struct Archiver {
    parts: Parts,
    /// The tree of the committed head, once it was read.
    tree: Option<Tree>,
}

impl Archiver {
    /// An archiver that has read nothing yet.
    pub fn new(parts: Parts) -> Self {
        Self { parts, tree: None }
    }

    /// Archives until `stop`, and then once more, so that a clean stop leaves little behind.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let mut ticks = interval(STEP_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let stopping = tokio::select! {
                () = &mut stop => true,
                _ = ticks.tick() => false,
            };
            for _ in 0..MAX_STEPS_AT_ONCE {
                match self.step().await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        let error: &dyn std::error::Error = &error;
                        tracing::warn!(error, "the archive did not grow as it should; it is tried again");
                        break;
                    }
                }
            }
            if stopping {
                return;
            }
        }
    }

    /// One step. Answers whether there is more to archive at once.
    ///
    /// # Errors
    /// [`StepFailed`]; the next step finds out what was committed, and goes on from there.
    pub async fn step(&mut self) -> Result<bool, StepFailed> {
        let Some(view) = self.parts.gate.view() else { return Ok(false) };
        let head = view.authority().head();
        // Taken out: if anything fails below, what is in memory may be ahead of, or beside, what was committed.
        let tree = match self.tree.take_if(|tree| tree.size() == head.size && tree.root() == head.root) {
            Some(tree) => tree,
            None => self.resume(&head).await?,
        };
        let wal = self.parts.wal.clone();
        let read = tokio::task::spawn_blocking(move || Batch::read(&view, &wal));
        let Batch { leaves, events_through, positions, more, log_failed } =
            read.await.map_err(|_| StepFailed::Stopping)??;
        if leaves.is_empty() {
            self.tree = Some(tree);
        } else {
            let next = Head { events_through, positions, ..head.clone() };
            self.grow(&head, next, tree, leaves).await?;
        }
        log_failed.map_or(Ok(more), Err)
    }

    /// Steps 2 to 5: `next` is `head` with what was read, and becomes the new head.
    async fn grow(
        &mut self,
        head: &Head,
        mut next: Head,
        tree: Tree,
        leaves: Vec<Leaf>,
    ) -> Result<(), StepFailed> {
        let mut grown = tree.clone();
        leaves.iter().for_each(|leaf| grown.append(leaf.bytes()));
        next.height = head.height + 1;
        next.size = grown.size();
        next.root = grown.root();
        let (writer, random) = (self.parts.wal.epoch().0, entropy::array(&*self.parts.entropy));
        next.segment = segment_name(next.height, writer, random);
        let segment = Segment { header: Header { before: head.clone(), tree }, leaves };
        self.parts.store.create_object(&next.segment, segment.encode()).await?;
        self.parts.commit.commit_head(head.height, next.clone()).await?;
        self.write_checkpoint(&next).await?;
        self.parts.wal.trim(&next.positions);
        self.tree = Some(grown);
        Ok(())
    }

    /// Reads the tree of the committed head from its segment, and makes up for what a crash left out after the commit.
    async fn resume(&self, head: &Head) -> Result<Tree, StepFailed> {
        if self.parts.store.find(VERIFIER).await?.is_none() {
            let key = format!("{}\n", self.parts.signer.verifying_key());
            self.parts.store.create_object(VERIFIER, key.into_bytes()).await?;
        }
        if head.height == 0 {
            return Ok(Tree::new());
        }
        let Segment { header, leaves } = self.parts.store.segment(&head.segment).await?;
        let mut tree = header.tree;
        leaves.iter().for_each(|leaf| tree.append(leaf.bytes()));
        if header.before.height + 1 != head.height || tree.size() != head.size || tree.root() != head.root {
            return Err(StepFailed::Tree);
        }
        if self.parts.store.find(&checkpoint_name(head.height)).await?.is_none() {
            self.write_checkpoint(head).await?;
        }
        self.parts.wal.trim(&head.positions);
        Ok(tree)
    }

    async fn write_checkpoint(&self, head: &Head) -> Result<(), StepFailed> {
        let note = Checkpoint::of(&self.parts.cluster, head).sign(&self.parts.signer)?;
        Ok(self.parts.store.create_object(&checkpoint_name(head.height), note.into_bytes()).await?)
    }
}

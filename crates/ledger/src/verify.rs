//! Verification of an archive from its files and the public key alone.
//!
//! Everything is computed anew: each signature, the tree over all leaves at every checkpoint, the chain of records of
//! every edge, the count of events. A change anywhere, by whoever does not hold the signing key, is found and named.
//! What files alone cannot show is that the newest of them were taken away: for that, [`Anchor`] says what a cluster, or
//! an earlier verification, knew of.

mod walk;

use std::collections::BTreeSet;

use authority::{archive::Head, node, time::Wall};
use keyring::signing::VerifyingKey;
use wal::chain::Break;

use self::walk::Walk;
use crate::{
    checkpoint::{Checkpoint, NotACheckpoint},
    segment::Malformed,
    store::{CHECKPOINTS, SEGMENTS, Store, StoreFailed, checkpoint_name},
};

/// A position the archive must have reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The height of a head.
    pub height: u64,
    /// The root it had.
    pub root: [u8; 32],
}

/// What a whole archive holds.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Report {
    /// How many heads there are.
    pub height: u64,
    /// How many leaves.
    pub size: u64,
    /// The root over them.
    pub root: [u8; 32],
    /// How many of the leaves are events.
    pub events: u64,
    /// How many are records.
    pub records: u64,
    /// Of how many edges.
    pub edges: usize,
    /// The earliest time any leaf names.
    pub from: Option<Wall>,
    /// The latest time any leaf names.
    pub to: Option<Wall>,
    /// Files no head leads to: left by a writer that lost a race or its life.
    pub ignored: Vec<String>,
}

/// The archive is not what was signed.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// A file cannot be read.
    #[error(transparent)]
    Store(#[from] StoreFailed),
    /// A segment that a checkpoint names is not there.
    #[error("{segment}, the segment of height {height}, is missing")]
    SegmentMissing {
        /// Which file.
        segment: String,
        /// The height whose checkpoint names it.
        height: u64,
    },
    /// A segment's bytes are not what was written.
    #[error("{segment} is damaged at or before leaf {leaf}")]
    Damaged {
        /// Which file.
        segment: String,
        /// The first leaf that cannot be vouched for, from 0.
        leaf: u64,
        /// How.
        #[source]
        source: Malformed,
    },
    /// There is no checkpoint at all.
    #[error("there is no checkpoint, so nothing vouches for the archive")]
    Empty,
    /// A checkpoint is missing.
    #[error("the checkpoint of height {height} is missing")]
    CheckpointMissing {
        /// Which.
        height: u64,
    },
    /// A checkpoint is not signed, or not what its name says.
    #[error("{name} is not a checkpoint signed by this key")]
    Checkpoint {
        /// Which file.
        name: String,
        /// Why.
        #[source]
        source: NotACheckpoint,
    },
    /// A file stands under a name that is not its own.
    #[error("{name} does not continue what stands before it: it was replaced, or stands in another's place")]
    Misplaced {
        /// Which file.
        name: String,
    },
    /// The leaves are not those that were signed.
    #[error("the tree over {size} leaves, up to {segment}, is not the one that was signed")]
    Root {
        /// The segment after which the difference shows.
        segment: String,
        /// The size of the tree.
        size: u64,
    },
    /// A leaf cannot be read.
    #[error("leaf {leaf}, in {segment}, cannot be read")]
    Leaf {
        /// Which leaf, from 0.
        leaf: u64,
        /// In which segment.
        segment: String,
        /// Why.
        #[source]
        source: wire::Malformed,
    },
    /// A record does not follow the one before it.
    #[error("leaf {leaf}, in {segment}: record {epoch}/{seq} of edge {edge} breaks its chain")]
    Record {
        /// Which leaf, from 0.
        leaf: u64,
        /// In which segment.
        segment: String,
        /// Whose record.
        edge: node::Id,
        /// Its epoch.
        epoch: node::Epoch,
        /// Its place in the epoch.
        seq: u64,
        /// How.
        #[source]
        source: Break,
    },
    /// An event is missing.
    #[error("leaf {leaf}, in {segment}: event {expected} comes next, and {found} is there")]
    Event {
        /// Which leaf, from 0.
        leaf: u64,
        /// In which segment.
        segment: String,
        /// The number that comes next.
        expected: u64,
        /// The number that is there.
        found: u64,
    },
    /// The archive ends before what is known of it, or has another history.
    #[error("the archive does not hold the head of height {height} that is known of it")]
    Anchor {
        /// The height that is known.
        height: u64,
    },
}

impl From<&Head> for Anchor {
    fn from(head: &Head) -> Self {
        Self { height: head.height, root: head.root }
    }
}

/// Verifies the whole archive in `store`. With an `anchor` it must also reach at least what is known of it.
///
/// # Errors
/// [`Broken`] names the first thing that is not what was signed.
pub async fn verify(store: &Store, key: &VerifyingKey, anchor: Option<&Anchor>) -> Result<Report, Broken> {
    let checkpoints = read_checkpoints(store, key).await?;
    if let Some(anchor) = anchor.filter(|anchor| anchor.height > 0) {
        let known = checkpoints.iter().find(|checkpoint| checkpoint.height == anchor.height);
        if known.is_none_or(|known| known.root != anchor.root) {
            return Err(Broken::Anchor { height: anchor.height });
        }
    }
    let mut walk = Walk::new();
    for checkpoint in &checkpoints {
        let Checkpoint { segment, height, .. } = checkpoint;
        let file = store.find(segment).await?;
        let missing = || Broken::SegmentMissing { segment: segment.clone(), height: *height };
        walk.follow(checkpoint, file.ok_or_else(missing)?)?;
    }
    let named: BTreeSet<_> = checkpoints.iter().map(|checkpoint| checkpoint.segment.as_str()).collect();
    let segments = store.list(SEGMENTS).await?;
    let ignored = segments.into_iter().filter(|name| !named.contains(name.as_str())).collect();
    Ok(walk.report(ignored))
}

/// The checkpoints of all heights, each signed, none missing.
async fn read_checkpoints(store: &Store, key: &VerifyingKey) -> Result<Vec<Checkpoint>, Broken> {
    let names = store.list(CHECKPOINTS).await?;
    let mut checkpoints: Vec<Checkpoint> = Vec::with_capacity(names.len());
    for (height, name) in (1..).zip(names) {
        if name != checkpoint_name(height) {
            return Err(Broken::CheckpointMissing { height });
        }
        let checkpoint = Checkpoint::verify(&store.read(&name).await?, key)
            .map_err(|source| Broken::Checkpoint { name: name.clone(), source })?;
        let other_origin = checkpoints.first().is_some_and(|first| first.origin != checkpoint.origin);
        if checkpoint.height != height || other_origin {
            return Err(Broken::Misplaced { name });
        }
        checkpoints.push(checkpoint);
    }
    if checkpoints.is_empty() { Err(Broken::Empty) } else { Ok(checkpoints) }
}

//! Verification of an archive from its files and the public key alone.
//!
//! Everything is computed anew: each signature, the tree over all leaves at every checkpoint, the chain of records of
//! every edge, the count of events. A change anywhere, by whoever does not hold the signing key, is found and named.
//! What files alone cannot show is that the newest of them were taken away: for that, [`Anchor`] says what a cluster, or
//! an earlier verification, knew of.

use std::collections::{BTreeMap, BTreeSet};

use authority::{event::Number, node, record::Record};
use keyring::signing::VerifyingKey;
use wal::chain::{self, Break, Chain};

use crate::{
    checkpoint::{Checkpoint, NotACheckpoint},
    merkle::Tree,
    segment::{Leaf, Segment},
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
    /// Files no head leads to: left by a writer that lost a race or its life.
    pub ignored: Vec<String>,
}

/// The archive is not what was signed.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// A file cannot be read, or is damaged.
    #[error(transparent)]
    Store(#[from] StoreFailed),
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
    #[error("{name} says something else than its place in the chain of heads")]
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

/// Verifies the whole archive in `store`.
pub async fn verify(store: &Store, key: &VerifyingKey, anchor: Option<&Anchor>) -> Result<Report, Broken> {
    let checkpoints = read_checkpoints(store, key).await?;
    let newest = checkpoints.last().ok_or(Broken::Empty)?;
    let mut walk = Walk::default();
    let mut previous = String::new();
    for checkpoint in &checkpoints {
        let segment = store.segment(&checkpoint.segment).await?;
        walk.follow(checkpoint, &segment, &previous)?;
        previous.clone_from(&checkpoint.segment);
    }
    if let Some(anchor) = anchor {
        let known = checkpoints.iter().find(|checkpoint| checkpoint.height == anchor.height);
        if known.is_none_or(|known| known.root != anchor.root) {
            return Err(Broken::Anchor { height: anchor.height });
        }
    }
    let named: BTreeSet<_> = checkpoints.iter().map(|checkpoint| checkpoint.segment.as_str()).collect();
    let segments = store.list(SEGMENTS).await?;
    Ok(Report {
        height: newest.height,
        size: walk.tree.size(),
        root: walk.tree.root(),
        events: walk.last_event.0,
        records: walk.records,
        edges: walk.chains.len(),
        ignored: segments.into_iter().filter(|name| !named.contains(name.as_str())).collect(),
    })
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
    Ok(checkpoints)
}

/// What has been followed so far.
#[derive(Default)]
struct Walk {
    tree: Tree,
    chains: BTreeMap<node::Id, Chain>,
    last_event: Number,
    records: u64,
}

impl Walk {
    fn follow(&mut self, checkpoint: &Checkpoint, segment: &Segment, previous: &str) -> Result<(), Broken> {
        let name = &checkpoint.segment;
        let header = &segment.header;
        let in_place = header.height == checkpoint.height
            && header.previous_segment == previous
            && header.previous_size == self.tree.size()
            && header.previous_root == self.tree.root();
        if !in_place {
            return Err(Broken::Misplaced { name: name.clone() });
        }
        for leaf in &segment.leaves {
            self.follow_leaf(leaf, name)?;
        }
        if self.tree.size() != checkpoint.size || self.tree.root() != checkpoint.root {
            return Err(Broken::Root { segment: name.clone(), size: self.tree.size() });
        }
        Ok(())
    }

    fn follow_leaf(&mut self, leaf: &Leaf, segment: &str) -> Result<(), Broken> {
        let at = self.tree.size();
        let unreadable = |source| Broken::Leaf { leaf: at, segment: segment.to_owned(), source };
        match leaf {
            Leaf::Record(bytes) => {
                let record = wire::record::decode(bytes).map_err(unreadable)?;
                self.follow_record(&record, chain::hash(bytes), segment)?;
                self.records += 1;
            }
            Leaf::Event(bytes) => {
                let (found, expected) =
                    (wire::event::decode(bytes).map_err(unreadable)?.number, self.last_event.0 + 1);
                if found.0 != expected {
                    let segment = segment.to_owned();
                    return Err(Broken::Event { leaf: at, segment, expected, found: found.0 });
                }
                self.last_event = found;
            }
        }
        self.tree.append(&leaf.bytes());
        Ok(())
    }

    fn follow_record(&mut self, record: &Record, hash: [u8; 32], segment: &str) -> Result<(), Broken> {
        let chain = self.chains.entry(record.edge).or_insert_with(|| Chain::new(record.edge));
        chain.follow(record, hash).map(drop).map_err(|source| Broken::Record {
            leaf: self.tree.size(),
            segment: segment.to_owned(),
            edge: record.edge,
            epoch: record.epoch,
            seq: record.seq.0,
            source,
        })
    }
}

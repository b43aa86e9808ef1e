//! The walk through an archive, segment by segment: the tree, the events and every chain of records, computed anew.

use std::collections::BTreeMap;

use authority::{archive::Head, event::Number, node, record::Record, time::Wall};
use bytes::Bytes;
use wal::chain::{self, Chain};

use super::{Broken, Report};
use crate::{
    checkpoint::Checkpoint,
    merkle::Tree,
    segment::{self, Encoded, Leaf},
};

/// What has been followed so far.
pub(super) struct Walk {
    tree: Tree,
    chains: BTreeMap<node::Id, Chain>,
    last_event: Number,
    records: u64,
    from: Option<Wall>,
    to: Option<Wall>,
    /// The head after the last segment, which the next one must name as the one before it.
    head: Head,
}

impl Walk {
    pub(super) fn new() -> Self {
        Self {
            tree: Tree::new(),
            chains: BTreeMap::new(),
            last_event: Number(0),
            records: 0,
            from: None,
            to: None,
            head: Head::empty(),
        }
    }

    /// Follows the segment in `file`, after which the tree must be the one that `checkpoint` signs.
    pub(super) fn follow(&mut self, checkpoint: &Checkpoint, file: Bytes) -> Result<(), Broken> {
        let name = &checkpoint.segment;
        let damaged =
            |walk: &Self, source| Broken::Damaged { segment: name.clone(), leaf: walk.tree.size(), source };
        let (header, mut leaves) = segment::open(file).map_err(|source| damaged(self, source))?;
        if header.before != self.head || header.tree != self.tree {
            return Err(Broken::Misplaced { name: name.clone() });
        }
        while let Some(leaf) = leaves.read_next().map_err(|source| damaged(self, source))? {
            self.follow_leaf(&leaf, name)?;
        }
        if self.tree.size() != checkpoint.size || self.tree.root() != checkpoint.root {
            return Err(Broken::Root { segment: name.clone(), size: self.tree.size() });
        }
        self.head = Head {
            height: checkpoint.height,
            size: checkpoint.size,
            root: checkpoint.root,
            segment: name.clone(),
            events_through: self.last_event,
            positions: self.chains.values().filter_map(Chain::last).collect(),
        };
        Ok(())
    }

    /// What was found, and the files that no checkpoint names.
    pub(super) fn report(self, ignored: Vec<String>) -> Report {
        Report {
            height: self.head.height,
            size: self.tree.size(),
            root: self.tree.root(),
            events: self.last_event.0,
            records: self.records,
            edges: self.chains.len(),
            from: self.from,
            to: self.to,
            ignored,
        }
    }

    fn follow_leaf(&mut self, leaf: &Leaf, segment: &str) -> Result<(), Broken> {
        let at = self.tree.size();
        let unreadable = |source| Broken::Leaf { leaf: at, segment: segment.to_owned(), source };
        match leaf.encoded() {
            Encoded::Record(bytes) => {
                let record = wire::record::decode(bytes).map_err(unreadable)?;
                self.follow_record(&record, chain::hash(bytes), segment)?;
                self.spans(record.time);
                self.records += 1;
            }
            Encoded::Event(bytes) => {
                let happened = wire::event::decode(bytes).map_err(unreadable)?;
                let (found, expected) = (happened.number, self.last_event.0 + 1);
                if found.0 != expected {
                    let segment = segment.to_owned();
                    return Err(Broken::Event { leaf: at, segment, expected, found: found.0 });
                }
                self.spans(happened.time);
                self.last_event = found;
            }
        }
        self.tree.append(leaf.bytes());
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

    fn spans(&mut self, time: Wall) {
        self.from = Some(self.from.map_or(time, |from| from.min(time)));
        self.to = self.to.max(Some(time));
    }
}

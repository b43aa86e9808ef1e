//! The archive up to one head, by height: every height has one segment, which names the head before it.
//!
//! Heads only grow, so a place in the archive is found by halving the heights, without reading what lies between.

use std::sync::Arc;

use authority::archive::Head;

use super::ReadRefused;
use crate::{
    checkpoint::Checkpoint,
    entry::{Content, Entry},
    segment::{Encoded, Leaf, Malformed, Segment},
    store::{Store, StoreFailed, checkpoint_name},
};

/// The archive up to one head.
pub(super) struct History<'store> {
    store: &'store Store,
    head: Head,
}

impl<'store> History<'store> {
    pub(super) fn new(store: &'store Store, head: Head) -> Self {
        Self { store, head }
    }

    /// Up to which head.
    pub(super) fn head(&self) -> &Head {
        &self.head
    }

    /// The head before the segment of a height, and the segment's entries.
    pub(super) async fn segment(&self, height: u64) -> Result<(Head, Vec<Entry>), ReadRefused> {
        let name = self.name(height).await?;
        let Segment { header, leaves } = self.store.segment(&name).await?;
        let entries = leaves.iter().map(|leaf| entry(leaf, &name)).collect::<Result<_, _>>()?;
        Ok((header.before, entries))
    }

    /// The lowest height whose head has `reached` something. Every head above one that has must have too.
    pub(super) async fn first_where(
        &self,
        reached: impl Fn(&Head) -> bool,
    ) -> Result<Option<u64>, ReadRefused> {
        if self.head.height == 0 || !reached(&self.head) {
            return Ok(None);
        }
        // `high` has reached it, everything below `low` has not.
        let (mut low, mut high) = (1, self.head.height);
        while low < high {
            let middle = low + (high - low) / 2;
            // A height's head stands in the segment above it.
            let above = self.name(middle + 1).await?;
            if reached(&self.store.header(&above).await?.before) { high = middle } else { low = middle + 1 }
        }
        Ok(Some(low))
    }

    /// The name of the segment of a height.
    async fn name(&self, height: u64) -> Result<String, ReadRefused> {
        if height == self.head.height {
            return Ok(self.head.segment.clone());
        }
        let note = checkpoint_name(height);
        let checkpoint = Checkpoint::unverified(&self.store.read(&note).await?);
        let unreadable = Malformed::Content { offset: 0, expected: "checkpoint" };
        let damaged = StoreFailed::Damaged { name: note, source: unreadable };
        Ok(checkpoint.ok_or(damaged)?.segment)
    }
}

fn entry(leaf: &Leaf, segment: &str) -> Result<Entry, ReadRefused> {
    let content = match leaf.encoded() {
        Encoded::Event(bytes) => {
            wire::event::decode(bytes).map(|happened| Content::Event(Arc::new(happened)))
        }
        Encoded::Record(bytes) => wire::record::decode(bytes).map(|record| Content::Record(Arc::new(record))),
    };
    let content = content.map_err(|source| ReadRefused::Leaf { segment: segment.to_owned(), source })?;
    Ok(Entry { content, archived: true, call: None })
}

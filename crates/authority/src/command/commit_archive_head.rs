//! Commits a new head of the archive, by compare-and-set. Neutral: it touches no right.

use super::{Class, Handle, Rejected, Rejection};
use crate::{archive::Head, authority::Authority, event::Event, time::Wall};

/// The stable name of the command.
pub const COMMIT_ARCHIVE_HEAD: &str = "commit_archive_head";

/// The most write-ahead logs one head speaks of: many more than a cluster has edges.
const MAX_POSITIONS: usize = 10_000;

/// Commits a new head of the archive, by compare-and-set. Neutral: it touches no right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitArchiveHead {
    /// The height of the head that was built upon.
    pub previous_height: u64,
    /// The new head.
    pub head: Head,
}

impl Handle for CommitArchiveHead {
    fn class(&self) -> Class {
        Class::Neutral
    }

    fn name(&self) -> &'static str {
        COMMIT_ARCHIVE_HEAD
    }

    fn subject(&self) -> String {
        format!("heads/{}", self.head.height)
    }

    fn decide(&self, state: &Authority, _now: Wall) -> Result<Vec<Event>, Rejected> {
        let held = state.head();
        let grows = self.head.height == held.height + 1
            && self.head.size > held.size
            && self.head.events_through >= held.events_through
            && self.head.events_through <= state.last_event;
        if self.previous_height != held.height || !grows {
            return Err(Rejection::HeadMismatch.about("the archive's head"));
        }
        if self.head.positions.len() > MAX_POSITIONS {
            return Err(Rejection::OutOfBounds.about("the positions of the archive's head"));
        }
        Ok(vec![Event::ArchiveHeadCommitted(self.head.clone())])
    }
}

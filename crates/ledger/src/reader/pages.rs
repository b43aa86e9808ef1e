//! Pages of the record: what matched, and where to go on.

use std::collections::VecDeque;

use super::{ReadRefused, Reader, history::History, tail::End};
use crate::{cursor::Cursor, entry::Entry};

/// The most archived entries that one page looks at. With a filter that matches little, a page has few entries or none,
/// and the cursor to go on with, instead of taking minutes.
const MAX_LOOKED_AT: usize = 100_000;

/// The most archived entries that are looked at for the newest: there is no cursor to go further back with.
const MAX_LOOKED_BACK: usize = 1_000_000;

/// What a reader wants.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Where the reader has come to.
    pub after: Cursor,
    /// How many entries at most; none means as many as one page looks at.
    pub limit: Option<usize>,
    /// The newest that match instead of the oldest; they still come oldest first.
    pub newest: bool,
}

/// Some entries.
#[derive(Clone, Debug)]
pub struct Page {
    /// What matched, oldest first, each with the cursor that goes on after it.
    pub entries: Vec<(Entry, Cursor)>,
    /// Goes on after this page; it is past what did not match too.
    pub next: Cursor,
    /// Whether there is nothing behind the page for now.
    pub is_last: bool,
}

impl Reader {
    /// The entries that `query` asks for and `wanted` picks.
    ///
    /// # Errors
    /// [`ReadRefused`].
    pub async fn read(&self, query: &Query, wanted: impl Fn(&Entry) -> bool) -> Result<Page, ReadRefused> {
        if query.newest { self.newest(query, wanted).await } else { self.oldest(query, wanted).await }
    }

    async fn oldest(&self, query: &Query, wanted: impl Fn(&Entry) -> bool) -> Result<Page, ReadRefused> {
        let mut tail = self.tail(&query.after, End::Oldest).await?;
        let history = History::new(&self.store, tail.head);
        let mut page = Page { entries: Vec::new(), next: query.after.clone(), is_last: false };
        let limit = query.limit.unwrap_or(usize::MAX);
        let unseen = history.first_where(|head| !query.after.covers(head)).await?;
        let mut looked_at = 0;
        for height in unseen.into_iter().flat_map(|unseen| unseen..=history.head().height) {
            let (_, mut entries) = history.segment(height).await?;
            looked_at += entries.len();
            self.calls.join(&history, &mut entries).await?;
            if !page.fill(entries, limit, &wanted) || looked_at >= MAX_LOOKED_AT {
                return Ok(page);
            }
        }
        self.calls.join(&history, &mut tail.entries).await?;
        page.is_last = page.fill(tail.entries, limit, &wanted) && !tail.more;
        Ok(page)
    }

    /// Syncs the log first, so that whoever asks for the newest sees what was recorded up to now, counts of refused
    /// requests included, which otherwise wait for company.
    async fn newest(&self, query: &Query, wanted: impl Fn(&Entry) -> bool) -> Result<Page, ReadRefused> {
        if let Err(error) = self.wal.flush().await {
            // What was synced before is still there to be read, and an operator may need it now.
            tracing::warn!(%error, "the newest records may be missing from this answer");
        }
        let mut tail = self.tail(&query.after, End::Newest).await?;
        let history = History::new(&self.store, tail.head);
        let limit = query.limit.unwrap_or(MAX_LOOKED_AT);
        self.calls.join(&history, &mut tail.entries).await?;
        let mut at = query.after.clone();
        at.pass_head(history.head());
        let mut page = Page { entries: Vec::new(), next: at, is_last: true };
        page.fill(tail.entries, usize::MAX, &wanted);
        let mut found: VecDeque<_> = page.entries.into();
        let mut looked_at = 0;
        for height in (1..=history.head().height).rev() {
            if found.len() >= limit || looked_at >= MAX_LOOKED_BACK {
                break;
            }
            let (before, mut entries) = history.segment(height).await?;
            looked_at += entries.len();
            self.calls.join(&history, &mut entries).await?;
            let mut at = query.after.clone();
            at.pass_head(&before);
            let mut earlier = Page { entries: Vec::new(), next: at, is_last: false };
            earlier.fill(entries, usize::MAX, &wanted);
            earlier.entries.into_iter().rev().for_each(|entry| found.push_front(entry));
            if query.after.covers(&before) {
                break;
            }
        }
        page.entries = found.split_off(found.len().saturating_sub(limit)).into();
        Ok(page)
    }
}

impl Page {
    /// Takes the entries that were not seen and are wanted. Answers whether all of them had room.
    fn fill(&mut self, entries: Vec<Entry>, limit: usize, wanted: &impl Fn(&Entry) -> bool) -> bool {
        for entry in entries {
            if self.next.has_seen(&entry) {
                continue;
            }
            let matches = wanted(&entry);
            if matches && self.entries.len() >= limit {
                return false;
            }
            self.next.pass(&entry);
            if matches {
                self.entries.push((entry, self.next.clone()));
            }
        }
        true
    }
}

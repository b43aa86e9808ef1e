//! Pages of the record: what matched, and where to go on.

use std::{collections::HashMap, sync::Arc};

use authority::record::{Body, CallFacts};

use super::{ReadRefused, Reader};
use crate::{
    cursor::Cursor,
    entry::{Content, Entry},
};

/// What a reader wants.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Where the reader has come to.
    pub after: Cursor,
    /// How many entries at most; none means all.
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
    pub async fn read(&self, query: &Query, wanted: impl Fn(&Entry) -> bool) -> Result<Page, ReadRefused> {
        let limit = query.limit.unwrap_or(usize::MAX);
        let mut page = Page { entries: Vec::new(), next: query.after.clone(), is_last: true };
        let mut calls = HashMap::new();
        for mut entry in self.after(&query.after).await? {
            join_call(&mut entry, &mut calls);
            if query.after.has_seen(&entry) {
                continue;
            }
            let matches = wanted(&entry);
            if matches && page.entries.len() >= limit {
                if !query.newest {
                    page.is_last = false;
                    return Ok(page);
                }
                page.entries.remove(0);
            }
            page.next.pass(&entry);
            if matches {
                page.entries.push((entry, page.next.clone()));
            }
        }
        Ok(page)
    }
}

/// Gives an outcome the call whose intent came before it.
fn join_call(entry: &mut Entry, calls: &mut HashMap<(u64, u64, u64), Arc<CallFacts>>) {
    let Content::Record(record) = &entry.content else { return };
    let place = |seq: u64| (record.edge.0, record.epoch.0, seq);
    match &record.body {
        Body::Intent(intent) => {
            calls.insert(place(record.seq.0), Arc::new(intent.call.clone()));
        }
        Body::Outcome(outcome) => entry.call = calls.remove(&place(outcome.intent.0)),
        Body::Denied(_) | Body::EpochStarted(_) | Body::Refusals(_) => {}
    }
}

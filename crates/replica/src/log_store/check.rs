//! The check at start: every record is what was written, the entries are one unbroken run, and nothing that was
//! acknowledged is missing. What does not hold is [`Damage`], and the node does not start.

use super::{
    damage::Damage,
    key::{Key, committed, entry, identity, purged, vote},
    record,
    watermark::Mark,
};
use crate::{
    identity::Identity,
    raft_message::NotAMessage,
    type_config::{Entry, LogId, Vote},
};

/// What a log holds.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Contents {
    /// Whose it is; nothing while it is being founded.
    pub(crate) identity: Option<Identity>,
    /// What this node voted for.
    pub(crate) vote: Option<Vote>,
    /// The last entry that was purged.
    pub(crate) purged: Option<LogId>,
    /// The last entry; that of `purged` if there is none after it.
    pub(crate) last: Option<LogId>,
}

impl Contents {
    /// How many entries the log has had.
    pub(crate) fn next(&self) -> u64 {
        self.last.map_or(0, |last| last.index + 1)
    }

    /// How many of them were purged.
    pub(crate) fn purged_next(&self) -> u64 {
        self.purged.map_or(0, |purged| purged.index + 1)
    }

    /// What may be acknowledged once all of this is durable.
    pub(super) fn mark(&self) -> Mark {
        Mark { vote: self.vote.unwrap_or_default(), next: self.next(), purged_next: self.purged_next() }
    }
}

/// Reads the whole log and holds it against the watermark.
pub(super) fn check(db: &sled::Db, mark: &Mark) -> Result<Contents, Damage> {
    let mut contents = Contents {
        identity: match payload(db, Key::Identity, "identity")? {
            Some(bytes) => {
                Some(identity::decode(&bytes).map_err(|source| Damage::UnreadableIdentity { source })?)
            }
            None => None,
        },
        vote: read(db, Key::Vote, "vote", vote::decode)?,
        purged: read(db, Key::Purged, "last purged entry", purged::decode)?,
        last: None,
    };
    read(db, Key::Committed, "last committed entry", committed::decode)?;
    contents.last = last_of_unbroken_run(db, contents.purged)?;
    hold_against(mark, &contents)?;
    Ok(contents)
}

/// The entry under `key`, which must be that of `index`.
pub(super) fn entry_of(index: u64, key: &[u8], value: &[u8]) -> Result<Entry, Damage> {
    let payload = record::open(key, value).ok_or(Damage::Entry { index })?;
    let entry = entry::decode(payload).map_err(|source| Damage::Unreadable { index, source })?;
    match entry.log_id.index {
        says if says == index => Ok(entry),
        says => Err(Damage::Misplaced { index, says }),
    }
}

/// Reads one record that is no entry.
pub(super) fn read<T>(
    db: &sled::Db,
    key: Key,
    record: &'static str,
    decode: impl Fn(&[u8]) -> Result<T, NotAMessage>,
) -> Result<Option<T>, Damage> {
    let Some(bytes) = payload(db, key, record)? else { return Ok(None) };
    decode(&bytes).map(Some).map_err(|source| Damage::UnreadableRecord { record, source })
}

fn payload(db: &sled::Db, key: Key, record: &'static str) -> Result<Option<Vec<u8>>, Damage> {
    let key = key.bytes();
    let Some(value) = db.get(key)? else { return Ok(None) };
    let payload = record::open(key.as_ref(), &value).ok_or(Damage::Record { record })?;
    Ok(Some(payload.to_vec()))
}

/// Walks through the entries. Those at or below the purged one are what an interrupted purge left, and are skipped.
fn last_of_unbroken_run(db: &sled::Db, purged: Option<LogId>) -> Result<Option<LogId>, Damage> {
    let mut last = purged;
    for item in db.range(Key::Entry(0).bytes()..) {
        let (key, value) = item?;
        let Some(index) = entry::index(&key) else { continue };
        let expected = last.map_or(0, |last| last.index + 1);
        if index < expected {
            continue;
        }
        let entry = entry_of(index, &key, &value)?;
        if index > expected {
            return Err(Damage::Hole { index: expected, found: index });
        }
        last = Some(entry.log_id);
    }
    Ok(last)
}

fn hold_against(mark: &Mark, contents: &Contents) -> Result<(), Damage> {
    let (next, purged_next) = (contents.next(), contents.purged_next());
    if next < mark.next {
        return Err(Damage::Shortened { index: next, acknowledged: mark.next - 1 });
    }
    if purged_next < mark.purged_next {
        return Err(Damage::Record { record: "last purged entry" });
    }
    let found = contents.vote.unwrap_or_default();
    let rank = |vote: &Vote| (vote.leader_id.term, vote.leader_id.node_id, vote.committed);
    if rank(&found) < rank(&mark.vote) {
        return Err(Damage::vote_went_back(&mark.vote, &found));
    }
    Ok(())
}

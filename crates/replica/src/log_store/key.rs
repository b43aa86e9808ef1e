//! The keys of the log store, all in one sled tree. One file per kind holds what its value is; this one holds the list.
//!
//! | tag | kind | value | file |
//! |---|---|---|---|
//! | `01` | [`Key::Identity`] | whose log it is, as the text of the identity file | `key/identity.rs` |
//! | `02` | [`Key::Vote`] | `replica.v1.Vote` | `key/vote.rs` |
//! | `03` | [`Key::Committed`] | `replica.v1.LogId`, written without a sync | `key/committed.rs` |
//! | `04` | [`Key::Purged`] | `replica.v1.LogId` | `key/purged.rs` |
//! | `10` index | [`Key::Entry`] | `replica.v1.LogEntry` | `key/entry.rs` |
//!
//! A tag is one byte and is never given to another kind; an index is eight bytes, big-endian, so that sled's order of
//! keys is the order of the log. Every value stands in the envelope of [`super::record`].

pub(super) mod committed;
pub(super) mod entry;
pub(super) mod identity;
pub(super) mod purged;
pub(super) mod vote;

/// The longest key: a tag and an index.
const MAX_KEY_BYTES: usize = 9;

/// What a record is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// Whose log this is.
    Identity,
    /// What this node has voted for.
    Vote,
    /// How far the log was known to be committed. May lag behind.
    Committed,
    /// The last entry that was removed because a snapshot holds it.
    Purged,
    /// One entry.
    Entry(u64),
}

/// The bytes of a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyBytes {
    bytes: [u8; MAX_KEY_BYTES],
    len: usize,
}

impl Key {
    /// The bytes under which sled holds the record.
    pub(super) fn bytes(self) -> KeyBytes {
        match self {
            Self::Identity => KeyBytes::tag(identity::TAG),
            Self::Vote => KeyBytes::tag(vote::TAG),
            Self::Committed => KeyBytes::tag(committed::TAG),
            Self::Purged => KeyBytes::tag(purged::TAG),
            Self::Entry(index) => entry::key(index),
        }
    }
}

impl KeyBytes {
    fn tag(tag: u8) -> Self {
        let mut bytes = [0; MAX_KEY_BYTES];
        bytes[0] = tag;
        Self { bytes, len: 1 }
    }

    fn tag_and_index(tag: u8, index: u64) -> Self {
        let mut bytes = [0; MAX_KEY_BYTES];
        bytes[0] = tag;
        bytes[1..].copy_from_slice(&index.to_be_bytes());
        Self { bytes, len: MAX_KEY_BYTES }
    }
}

impl AsRef<[u8]> for KeyBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_what_the_table_says() {
        for (key, bytes) in [
            (Key::Identity, &[1][..]),
            (Key::Vote, &[2]),
            (Key::Committed, &[3]),
            (Key::Purged, &[4]),
            (Key::Entry(258), &[0x10, 0, 0, 0, 0, 0, 0, 1, 2]),
        ] {
            assert_eq!(key.bytes().as_ref(), bytes);
        }
    }

    #[test]
    fn entries_are_ordered_by_index_and_read_back() {
        let indexes = [0, 1, 255, 256, u64::MAX];
        let keys: Vec<_> = indexes.iter().map(|index| Key::Entry(*index).bytes().as_ref().to_vec()).collect();
        assert!(keys.is_sorted());
        assert!(keys.iter().zip(indexes).all(|(key, index)| entry::index(key) == Some(index)));
        assert_eq!(entry::index(Key::Vote.bytes().as_ref()), None);
    }
}

//! `10` and the index: one entry of the log.

use super::KeyBytes;
use crate::{
    raft_message::{self, NotAMessage},
    type_config::Entry,
};

pub(in crate::log_store) const TAG: u8 = 0x10;

pub(super) fn key(index: u64) -> KeyBytes {
    KeyBytes::tag_and_index(TAG, index)
}

/// The index that a key names, if it is the key of an entry.
pub(in crate::log_store) fn index(key: &[u8]) -> Option<u64> {
    let (&tag, index) = key.split_first()?;
    let index = index.try_into().ok()?;
    (tag == TAG).then(|| u64::from_be_bytes(index))
}

pub(in crate::log_store) fn encode(entry: &Entry) -> Vec<u8> {
    raft_message::encode_entry(entry)
}

pub(in crate::log_store) fn decode(payload: &[u8]) -> Result<Entry, NotAMessage> {
    raft_message::decode_entry(payload)
}

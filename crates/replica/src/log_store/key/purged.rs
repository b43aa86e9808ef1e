//! `04`: the last entry that was removed because a snapshot holds it. It is written in the same sled batch that removes
//! the first of the entries, so that a log never begins with a hole.

use crate::{
    raft_message::{self, NotAMessage},
    type_config::LogId,
};

pub(in crate::log_store) const TAG: u8 = 0x04;

pub(in crate::log_store) fn encode(log_id: &LogId) -> Vec<u8> {
    raft_message::encode_log_id(log_id)
}

pub(in crate::log_store) fn decode(payload: &[u8]) -> Result<LogId, NotAMessage> {
    raft_message::decode_log_id(payload)
}

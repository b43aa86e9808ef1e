//! `03`: how far the log was known to be committed. It is written without a sync: an old value only makes the state
//! machine replay later, when the leader says so again.

use crate::{
    raft_message::{self, NotAMessage},
    type_config::LogId,
};

pub(in crate::log_store) const TAG: u8 = 0x03;

pub(in crate::log_store) fn encode(log_id: &LogId) -> Vec<u8> {
    raft_message::encode_log_id(log_id)
}

pub(in crate::log_store) fn decode(payload: &[u8]) -> Result<LogId, NotAMessage> {
    raft_message::decode_log_id(payload)
}

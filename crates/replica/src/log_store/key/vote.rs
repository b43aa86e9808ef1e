//! `02`: what this node has voted for. A vote that was forgotten could be given twice, and elect two leaders.

use crate::{
    raft_message::{self, NotAMessage},
    type_config::Vote,
};

pub(in crate::log_store) const TAG: u8 = 0x02;

pub(in crate::log_store) fn encode(vote: &Vote) -> Vec<u8> {
    raft_message::encode_vote(vote)
}

pub(in crate::log_store) fn decode(payload: &[u8]) -> Result<Vote, NotAMessage> {
    raft_message::decode_vote(payload)
}

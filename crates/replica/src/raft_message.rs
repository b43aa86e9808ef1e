//! openraft's values as the messages of `portcullis.replica.v1`, and back. Everything that this crate stores of Raft
//! goes through here, so that what is on a disk is defined by the proto files and by no library's memory layout.
//!
//! What must stay true: a value reads back as itself, and bytes that leave anything open (no place, no payload, a
//! command this version does not know) are refused instead of filled with defaults.

use std::collections::{BTreeMap, BTreeSet};

use openraft::{BasicNode, CommittedLeaderId, EntryPayload, Membership};
use prost::Message;
use wire::pb::replica::v1 as pb;

use crate::type_config::{Batch, Entry, LogId, SnapshotMeta, StoredMembership, Vote};

/// Why bytes are no message of the log.
#[derive(Debug, thiserror::Error)]
pub enum NotAMessage {
    /// They are no protobuf message of the kind.
    #[error("the bytes are no {kind}")]
    Protobuf {
        /// The message that was expected.
        kind: &'static str,
        /// What the decoder found.
        #[source]
        source: prost::DecodeError,
    },
    /// They hold something that this version does not know, or are not written the one way it writes them.
    #[error("the {kind} carries something this version does not know; is it from a newer version?")]
    NotCanonical {
        /// The message.
        kind: &'static str,
    },
    /// A field that must be there is not.
    #[error("the {field} is missing")]
    Missing {
        /// Which field.
        field: &'static str,
    },
    /// The commands of an entry cannot be read by this version.
    #[error("the commands cannot be read by this version")]
    Commands {
        /// What the decoder found.
        #[source]
        source: wire::Malformed,
    },
}

/// The bytes of an entry.
pub(crate) fn encode_entry(entry: &Entry) -> Vec<u8> {
    let payload = match &entry.payload {
        EntryPayload::Blank => pb::log_entry::Payload::Blank(pb::Blank {}),
        EntryPayload::Normal(batch) => pb::log_entry::Payload::Commands(wire::entry::encode(&batch.0)),
        EntryPayload::Membership(membership) => {
            pb::log_entry::Payload::Membership(membership_to_pb(membership))
        }
    };
    pb::LogEntry { log_id: Some(log_id_to_pb(&entry.log_id)), payload: Some(payload) }.encode_to_vec()
}

/// The entry of some bytes.
pub(crate) fn decode_entry(bytes: &[u8]) -> Result<Entry, NotAMessage> {
    let message = read::<pb::LogEntry>("log entry", bytes)?;
    let log_id = log_id_from_pb(&present("log id", message.log_id)?);
    let payload = match present("payload", message.payload)? {
        pb::log_entry::Payload::Blank(pb::Blank {}) => EntryPayload::Blank,
        pb::log_entry::Payload::Commands(bytes) => {
            let commands = wire::entry::decode(&bytes).map_err(|source| NotAMessage::Commands { source })?;
            EntryPayload::Normal(Batch(commands.into()))
        }
        pb::log_entry::Payload::Membership(membership) => {
            EntryPayload::Membership(membership_from_pb(membership))
        }
    };
    Ok(Entry { log_id, payload })
}

/// The bytes of a vote.
pub(crate) fn encode_vote(vote: &Vote) -> Vec<u8> {
    let leader = &vote.leader_id;
    pb::Vote { term: leader.term, node: leader.node_id, committed: vote.committed }.encode_to_vec()
}

/// The vote of some bytes.
pub(crate) fn decode_vote(bytes: &[u8]) -> Result<Vote, NotAMessage> {
    let pb::Vote { term, node, committed } = read("vote", bytes)?;
    Ok(if committed { Vote::new_committed(term, node) } else { Vote::new(term, node) })
}

/// The bytes of a place in the log.
pub(crate) fn encode_log_id(log_id: &LogId) -> Vec<u8> {
    log_id_to_pb(log_id).encode_to_vec()
}

/// The place in the log of some bytes.
pub(crate) fn decode_log_id(bytes: &[u8]) -> Result<LogId, NotAMessage> {
    Ok(log_id_from_pb(&read("log id", bytes)?))
}

/// The bytes of what a snapshot is of.
pub(crate) fn encode_snapshot_meta(meta: &SnapshotMeta) -> Vec<u8> {
    let membership = pb::StoredMembership {
        log_id: meta.last_membership.log_id().as_ref().map(log_id_to_pb),
        membership: Some(membership_to_pb(meta.last_membership.membership())),
    };
    pb::SnapshotMeta {
        last_log_id: meta.last_log_id.as_ref().map(log_id_to_pb),
        membership: Some(membership),
        snapshot_id: meta.snapshot_id.clone(),
    }
    .encode_to_vec()
}

/// What a snapshot is of, from some bytes.
pub(crate) fn decode_snapshot_meta(bytes: &[u8]) -> Result<SnapshotMeta, NotAMessage> {
    let message = read::<pb::SnapshotMeta>("snapshot meta", bytes)?;
    let stored = present("membership", message.membership)?;
    let membership = membership_from_pb(present("membership", stored.membership)?);
    Ok(SnapshotMeta {
        last_log_id: message.last_log_id.as_ref().map(log_id_from_pb),
        last_membership: StoredMembership::new(stored.log_id.as_ref().map(log_id_from_pb), membership),
        snapshot_id: message.snapshot_id,
    })
}

fn log_id_to_pb(log_id: &LogId) -> pb::LogId {
    pb::LogId { term: log_id.leader_id.term, node: log_id.leader_id.node_id, index: log_id.index }
}

fn log_id_from_pb(message: &pb::LogId) -> LogId {
    LogId::new(CommittedLeaderId::new(message.term, message.node), message.index)
}

fn membership_to_pb(membership: &Membership<u64, BasicNode>) -> pb::Membership {
    let voters = |set: &BTreeSet<u64>| pb::VoterSet { nodes: set.iter().copied().collect() };
    let member = |(node, at): (&u64, &BasicNode)| pb::Member { node: *node, address: at.addr.clone() };
    pb::Membership {
        configs: membership.get_joint_config().iter().map(voters).collect(),
        members: membership.nodes().map(member).collect(),
    }
}

fn membership_from_pb(message: pb::Membership) -> Membership<u64, BasicNode> {
    let configs = message.configs.into_iter().map(|set| set.nodes.into_iter().collect()).collect();
    let members = message.members.into_iter().map(|member| (member.node, BasicNode { addr: member.address }));
    Membership::new(configs, members.collect::<BTreeMap<_, _>>())
}

fn read<M: Message + Default>(kind: &'static str, bytes: &[u8]) -> Result<M, NotAMessage> {
    let message = M::decode(bytes).map_err(|source| NotAMessage::Protobuf { kind, source })?;
    if message.encode_to_vec() != bytes {
        return Err(NotAMessage::NotCanonical { kind });
    }
    Ok(message)
}

fn present<T>(field: &'static str, value: Option<T>) -> Result<T, NotAMessage> {
    value.ok_or(NotAMessage::Missing { field })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_id(term: u64, index: u64) -> LogId {
        LogId::new(CommittedLeaderId::new(term, 7), index)
    }

    fn membership() -> Membership<u64, BasicNode> {
        let node = |id: u64| (id, BasicNode { addr: format!("10.0.0.{id}:7452") });
        Membership::new(
            vec![BTreeSet::from([1, 2]), BTreeSet::from([2, 3])],
            BTreeMap::from([node(1), node(2), node(3), node(4)]),
        )
    }

    #[test]
    fn every_kind_of_entry_reads_back() {
        for payload in [
            EntryPayload::Blank,
            EntryPayload::Normal(Batch::default()),
            EntryPayload::Membership(membership()),
        ] {
            let entry = Entry { log_id: log_id(3, 9), payload };
            let read = decode_entry(&encode_entry(&entry)).expect("it was just encoded");
            assert_eq!(
                (read.log_id, format!("{:?}", read.payload)),
                (entry.log_id, format!("{:?}", entry.payload))
            );
        }
    }

    #[test]
    fn votes_places_and_snapshot_metas_read_back() {
        for vote in [Vote::default(), Vote::new(4, 2), Vote::new_committed(u64::MAX, u64::MAX)] {
            assert_eq!(decode_vote(&encode_vote(&vote)).expect("it was just encoded"), vote);
        }
        assert_eq!(decode_log_id(&encode_log_id(&log_id(1, 0))).expect("it was just encoded"), log_id(1, 0));
        let meta = SnapshotMeta {
            last_log_id: Some(log_id(2, 5)),
            last_membership: StoredMembership::new(Some(log_id(1, 1)), membership()),
            snapshot_id: "5.1".to_owned(),
        };
        assert_eq!(decode_snapshot_meta(&encode_snapshot_meta(&meta)).expect("it was just encoded"), meta);
    }

    #[test]
    fn an_entry_without_a_place_or_a_payload_is_refused() {
        assert!(matches!(decode_entry(&[]), Err(NotAMessage::Missing { field: "log id" })));
        let placed = pb::LogEntry { log_id: Some(pb::LogId::default()), payload: None }.encode_to_vec();
        assert!(matches!(decode_entry(&placed), Err(NotAMessage::Missing { field: "payload" })));
    }

    #[test]
    fn an_entry_with_a_field_of_a_newer_version_is_refused() {
        let blank = Entry { log_id: log_id(3, 9), payload: EntryPayload::Blank };
        let newer = [encode_entry(&blank), vec![0x78, 1]].concat();
        assert!(matches!(decode_entry(&newer), Err(NotAMessage::NotCanonical { kind: "log entry" })));
    }

    /// What version 1 wrote is on disks; these bytes are never edited.
    #[test]
    fn the_bytes_of_version_1_are_fixed() {
        let blank = Entry { log_id: log_id(3, 9), payload: EntryPayload::Blank };
        assert_eq!(encode_entry(&blank), [0x0a, 6, 0x08, 3, 0x10, 7, 0x18, 9, 0x12, 0]);
        let empty = Entry { log_id: log_id(3, 9), payload: EntryPayload::Normal(Batch::default()) };
        assert_eq!(encode_entry(&empty), [0x0a, 6, 0x08, 3, 0x10, 7, 0x18, 9, 0x1a, 0]);
        let one = Membership::new(vec![BTreeSet::from([1])], BTreeMap::from([(1, BasicNode::new("a:1"))]));
        let member = Entry { log_id: log_id(0, 0), payload: EntryPayload::Membership(one) };
        let bytes =
            [&[0x0a, 2, 0x10, 7][..], &[0x22, 14, 0x0a, 3, 0x0a, 1, 1, 0x12, 7, 0x08, 1, 0x12, 3], b"a:1"];
        assert_eq!(encode_entry(&member), bytes.concat());
        assert_eq!(encode_vote(&Vote::new_committed(4, 2)), [0x08, 4, 0x10, 2, 0x18, 1]);
        let meta =
            SnapshotMeta { last_log_id: Some(log_id(2, 5)), snapshot_id: "x".into(), ..Default::default() };
        let bytes = [0x0a, 6, 0x08, 2, 0x10, 7, 0x18, 5, 0x12, 2, 0x12, 0, 0x1a, 1, b'x'];
        assert_eq!(encode_snapshot_meta(&meta), bytes);
    }
}

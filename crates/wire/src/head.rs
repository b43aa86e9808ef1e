//! The head of the archive.

use authority::{
    archive::{Head, Position},
    event::Number,
    node,
};
use prost::Message;

use crate::{canonical, field, malformed::Malformed, pb::events::v1 as pb};

/// Writes a head.
pub fn encode(head: &Head) -> Vec<u8> {
    to_pb(head).encode_to_vec()
}

/// Reads a head.
pub fn decode(bytes: &[u8]) -> Result<Head, Malformed> {
    from_pb(Some(canonical::decode("archive_head", bytes)?))
}

pub(crate) fn to_pb(head: &Head) -> pb::ArchiveHead {
    let position = |position: &Position| pb::ArchivePosition {
        edge: position.edge.0,
        epoch: position.epoch.0,
        seq: position.seq,
        hash: position.hash.to_vec(),
    };
    pb::ArchiveHead {
        height: head.height,
        size: head.size,
        root: head.root.to_vec(),
        segment: head.segment.clone(),
        events_through: head.events_through.0,
        positions: head.positions.iter().map(position).collect(),
    }
}

pub(crate) fn from_pb(head: Option<pb::ArchiveHead>) -> Result<Head, Malformed> {
    let head = field::required("archive_head", head)?;
    let position = |position: pb::ArchivePosition| {
        Ok(Position {
            edge: node::Id(position.edge),
            epoch: node::Epoch(position.epoch),
            seq: position.seq,
            hash: field::array("archive_position.hash", &position.hash)?,
        })
    };
    Ok(Head {
        height: head.height,
        size: head.size,
        root: field::array("archive_head.root", &head.root)?,
        segment: head.segment,
        events_through: Number(head.events_through),
        positions: head.positions.into_iter().map(position).collect::<Result<_, _>>()?,
    })
}

//! What the authority knows of the archive: its latest agreed position. The archive itself is `ledger`'s.

use crate::{event::Number, node};

/// The agreed position of the archive: what is below it is durable, chained and may be trimmed at the edges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Counts heads; the next one is one greater.
    pub height: u64,
    /// How many leaves the Merkle tree has.
    pub size: u64,
    /// Its root (RFC 6962, section 2.1).
    pub root: [u8; 32],
    /// The object that holds the newest leaves, by its name in the archive.
    pub segment: String,
    /// The last event the archive holds.
    pub events_through: Number,
    /// The last record it holds of each write-ahead log.
    pub positions: Vec<Position>,
}

/// How far the archive has one node's write-ahead log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Whose log.
    pub edge: node::Id,
    /// Which start of it.
    pub epoch: node::Epoch,
    /// The last sequence number held.
    pub seq: u64,
    /// The hash of that record, which the next one names.
    pub hash: [u8; 32],
}

impl Head {
    /// The head of an archive that holds nothing. Its root is that of the empty tree: SHA-256 of nothing.
    pub fn empty() -> Self {
        const EMPTY_ROOT: [u8; 32] = [
            0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
            0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
        ];
        Self {
            height: 0,
            size: 0,
            root: EMPTY_ROOT,
            segment: String::new(),
            events_through: Number(0),
            positions: Vec::new(),
        }
    }
}

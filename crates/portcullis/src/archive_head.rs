//! Joins the archiver to the replica: a new head of the archive is a command like any other.

use authority::{
    archive::Head,
    command::{Body, CommitArchiveHead, Outcome},
    event::Actor,
    request,
};
use replica::{Proposal, Replica};
use seams::{SharedEntropy, entropy};

/// Proposes heads to the replica.
pub struct ProposeHead {
    /// This node's replica.
    pub replica: Replica,
    /// For request ids.
    pub entropy: SharedEntropy,
}

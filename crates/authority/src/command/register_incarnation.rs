//! Registers a start of a node's process. Neutral: it touches no right. Of two copies of a data directory, only one can
//! register an epoch, so only one can serve.

use super::{Class, Handle, Rejected, Rejection};
use crate::{
    authority::Authority,
    event::Event,
    node::{self, Epoch},
    time::Wall,
};

/// Registers a start of a node's process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterIncarnation {
    /// Which node.
    pub node: node::Id,
    /// Which start: a greater one than the last that was registered.
    pub epoch: Epoch,
}

impl Handle for RegisterIncarnation {
    fn class(&self) -> Class {
        Class::Neutral
    }

    fn name(&self) -> &'static str {
        "register_incarnation"
    }

    fn subject(&self) -> String {
        format!("nodes/{}", self.node)
    }

    fn decide(&self, state: &Authority, _now: Wall) -> Result<Vec<Event>, Rejected> {
        let registered = state.nodes.get(&self.node).map_or(Epoch(0), |node| node.epoch);
        if self.epoch <= registered {
            return Err(Rejection::EpochNotNewer.about(format_args!("nodes/{}", self.node)));
        }
        Ok(vec![Event::IncarnationRegistered { node: self.node, epoch: self.epoch }])
    }
}

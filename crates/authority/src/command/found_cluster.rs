//! Founds the cluster, once.

use super::{Class, Handle, Rejected, Rejection};
use crate::{authority::Authority, event::Event, name::Name, time::Wall};

/// Founds the cluster, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundCluster {
    /// The id of the cluster.
    pub cluster: Name,
}

impl Handle for FoundCluster {
    fn class(&self) -> Class {
        Class::Neutral
    }

    fn name(&self) -> &'static str {
        "found_cluster"
    }

    fn subject(&self) -> String {
        format!("cluster {}", self.cluster)
    }

    fn decide(&self, state: &Authority, _now: Wall) -> Result<Vec<Event>, Rejected> {
        match &state.cluster {
            Some(cluster) => Err(Rejection::ClusterExists.about(format_args!("cluster {cluster}"))),
            None => Ok(vec![Event::ClusterFounded { cluster: self.cluster.clone() }]),
        }
    }
}

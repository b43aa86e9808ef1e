//! How the cluster is, as the node that answers sees it. It reads the local view on purpose: whoever asks how a node is
//! wants an answer also when no quorum is there.

use std::{sync::Arc, time::Duration};

use tonic::{Request, Response, Status};
use wire::pb::admin::v1::{self as pb, cluster_service_server::ClusterService};

use crate::{authenticate::Refused, control::Control, instants};

/// The service.
pub(crate) struct Cluster {
    control: Arc<Control>,
}

impl Cluster {
    pub(crate) fn new(control: Arc<Control>) -> Self {
        Self { control }
    }
}

#[tonic::async_trait]
impl ClusterService for Cluster {
    async fn get_status(
        &self,
        _request: Request<pb::GetStatusRequest>,
    ) -> Result<Response<pb::GetStatusResponse>, Status> {
        let parts = self.control.parts();
        let view = parts.gate.view().ok_or(Refused::NoView)?;
        let (node, state) = (parts.replica.node(), view.authority());
        let head = state.head();
        let left = parts.gate.lease().enforce_until().0.saturating_sub(parts.clock.boot_nanos());
        let epoch = view.node(node).map(|node| node.epoch.0);
        let in_flight = parts.gate.in_flight().len();
        let behind = state.last_event().0.saturating_sub(head.events_through.0);
        Ok(Response::new(pb::GetStatusResponse {
            cluster: state.cluster().map(ToString::to_string).unwrap_or_default(),
            node: format!("nodes/{node}"),
            epoch: epoch.unwrap_or_default(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            revision: view.revision().0,
            last_event: state.last_event().0,
            lease_remaining: (left > 0).then(|| instants::duration(Duration::from_nanos(left))),
            recording: parts.recording.is_recording(),
            calls_in_flight: u64::try_from(in_flight).expect("calls in flight are counted in 64 bits"),
            grants: u64::try_from(view.grants().count()).expect("grants are counted in 64 bits"),
            archive_height: head.height,
            events_unarchived: behind,
        }))
    }
}

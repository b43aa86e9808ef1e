//! Removes a server for good, with its credential. Its id stays taken, because grants name it.

use super::{Handle, Rejected, Rejection};
use crate::{
    authority::Authority,
    event::Event,
    server::{self, Status},
    time::Wall,
};

/// Removes a server for good, with its credential. Its id stays taken, because grants name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveServer {
    /// Which server.
    pub server: server::Id,
}

impl Handle for RemoveServer {
    fn name(&self) -> &'static str {
        "remove_server"
    }

    fn subject(&self) -> String {
        format!("servers/{}", self.server)
    }

    fn decide(&self, state: &Authority, _now: Wall) -> Result<Vec<Event>, Rejected> {
        match state.servers.get(&self.server).map(|server| server.status) {
            None => Err(Rejection::NotFound.about(format_args!("servers/{}", self.server))),
            Some(Status::Removed) => Ok(Vec::new()),
            Some(Status::Enabled | Status::Disabled) => Ok(vec![Event::ServerRemoved(self.server.clone())]),
        }
    }
}

//! Disables a server: no call goes to it until it is enabled again.

use super::{Handle, Rejected, Rejection};
use crate::{
    authority::Authority,
    event::Event,
    server::{self, Status},
    time::Wall,
};

/// Disables a server: no call goes to it until it is enabled again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisableServer {
    /// Which server.
    pub server: server::Id,
}

impl Handle for DisableServer {
    fn name(&self) -> &'static str {
        "disable_server"
    }

    fn subject(&self) -> String {
        format!("servers/{}", self.server)
    }

    fn decide(&self, state: &Authority, _now: Wall) -> Result<Vec<Event>, Rejected> {
        match state.servers.get(&self.server).map(|server| server.status) {
            None => Err(Rejection::NotFound.about(format_args!("servers/{}", self.server))),
            Some(Status::Removed) => {
                Err(Rejection::ServerRemoved.about(format_args!("servers/{}", self.server)))
            }
            Some(Status::Disabled) => Ok(Vec::new()),
            Some(_) => Ok(vec![Event::ServerDisabled(self.server.clone())]),
        }
    }
}

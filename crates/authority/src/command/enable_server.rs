//! Enables a disabled server.

use super::{Class, Handle, Rejected, Rejection};
use crate::{
    authority::Authority,
    event::Event,
    server::{self, Status},
    time::Wall,
};

/// Enables a disabled server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnableServer {
    /// Which server.
    pub server: server::Id,
}

impl Handle for EnableServer {
    fn class(&self) -> Class {
        Class::Widening
    }

    fn name(&self) -> &'static str {
        "enable_server"
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
            Some(Status::Enabled) => Ok(Vec::new()),
            Some(_) => Ok(vec![Event::ServerEnabled(self.server.clone())]),
        }
    }
}

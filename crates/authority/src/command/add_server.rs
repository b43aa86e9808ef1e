//! Adds an upstream server, enabled. Widening.

use super::{Class, Handle, Rejected, Rejection};
use crate::{
    authority::Authority,
    event::Event,
    server::{self, Endpoint, Status},
    time::Wall,
};

/// Adds an upstream server, enabled. Widening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddServer {
    /// Its id.
    pub server: server::Id,
    /// Where it answers.
    pub endpoint: Endpoint,
}

impl Handle for AddServer {
    fn class(&self) -> Class {
        Class::Widening
    }

    fn name(&self) -> &'static str {
        "add_server"
    }

    fn subject(&self) -> String {
        format!("servers/{}", self.server)
    }

    fn decide(&self, state: &Authority, _now: Wall) -> Result<Vec<Event>, Rejected> {
        match state.servers.get(&self.server) {
            None => {
                Ok(vec![Event::ServerAdded { server: self.server.clone(), endpoint: self.endpoint.clone() }])
            }
            Some(server) if server.status == Status::Removed => {
                Err(Rejection::ServerRemoved.about(format_args!("servers/{}", self.server)))
            }
            Some(_) => Err(Rejection::AlreadyExists.about(format_args!("servers/{}", self.server))),
        }
    }
}

//! Upstream servers: their URLs and origins in commands and events, and the whole of them in snapshots.

use authority::{
    credential,
    server::{Endpoint, Id, Origin, Server, Status},
};

use crate::{
    field,
    malformed::{Flaw, Malformed},
    pb::replica::v1 as pb,
};

pub(crate) fn to_pb(server: &Server) -> pb::Server {
    let status = match server.status {
        Status::Enabled => pb::ServerStatus::Enabled,
        Status::Disabled => pb::ServerStatus::Disabled,
        Status::Removed => pb::ServerStatus::Removed,
    };
    pb::Server {
        id: server.id.as_str().to_owned(),
        url: server.endpoint.url(),
        status: status.into(),
        credential: server.credential.as_ref().map(|id| id.as_str().to_owned()),
    }
}

pub(crate) fn from_pb(server: &pb::Server) -> Result<Server, Malformed> {
    let credential = server.credential.as_deref();
    Ok(Server {
        id: id("server.id", &server.id)?,
        endpoint: endpoint("server.url", &server.url)?,
        status: status(server.status)?,
        credential: credential
            .map(|id| field::name("server.credential", id, credential::Id::parse))
            .transpose()?,
    })
}

/// The id of a server.
pub(crate) fn id(what: &'static str, text: &str) -> Result<Id, Malformed> {
    field::name(what, text, Id::parse)
}

/// A URL with its port written out, as [`Endpoint::url`] writes it.
pub(crate) fn endpoint(what: &'static str, url: &str) -> Result<Endpoint, Malformed> {
    let endpoint = Endpoint::parse(url).map_err(|error| Flaw::Endpoint(error).of(what))?;
    if endpoint.url() == url { Ok(endpoint) } else { Err(Flaw::NotNormal.of(what)) }
}

/// An origin with its port written out: a URL without its path.
pub(crate) fn origin(what: &'static str, text: &str) -> Result<Origin, Malformed> {
    let endpoint = Endpoint::parse(text).map_err(|error| Flaw::Endpoint(error).of(what))?;
    if endpoint.origin.as_str() == text { Ok(endpoint.origin) } else { Err(Flaw::NotNormal.of(what)) }
}

fn status(value: i32) -> Result<Status, Malformed> {
    let unknown = Flaw::UnknownValue { value }.of("server.status");
    match pb::ServerStatus::try_from(value) {
        Ok(pb::ServerStatus::Enabled) => Ok(Status::Enabled),
        Ok(pb::ServerStatus::Disabled) => Ok(Status::Disabled),
        Ok(pb::ServerStatus::Removed) => Ok(Status::Removed),
        Ok(pb::ServerStatus::Unspecified) | Err(_) => Err(unknown),
    }
}

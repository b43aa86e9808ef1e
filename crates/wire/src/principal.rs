//! Principals.

use std::collections::BTreeSet;

use authority::{
    name::Name,
    principal::{Id, Kind, Principal},
};

use crate::{
    field,
    malformed::{Flaw, Malformed},
    pb::events::v1::{self as pb, principal::Kind as PbKind},
};

pub(crate) fn to_pb(principal: &Principal) -> pb::Principal {
    let kind = match &principal.kind {
        Kind::Person => PbKind::Person(pb::Person {}),
        Kind::Agent { owner } => PbKind::Agent(pb::Agent { owner: owner.as_str().to_owned() }),
        Kind::Service => PbKind::Service(pb::Service {}),
    };
    pb::Principal {
        id: principal.id.as_str().to_owned(),
        kind: Some(kind),
        display_name: principal.display_name.as_ref().to_owned(),
        groups: principal.groups.iter().map(|group| group.as_str().to_owned()).collect(),
        suspended: principal.suspended,
    }
}

pub(crate) fn from_pb(principal: Option<pb::Principal>) -> Result<Principal, Malformed> {
    let principal = field::required("principal", principal)?;
    let kind = match field::required("principal.kind", principal.kind)? {
        PbKind::Person(pb::Person {}) => Kind::Person,
        PbKind::Agent(pb::Agent { owner }) => {
            Kind::Agent { owner: field::name("agent.owner", &owner, Id::parse)? }
        }
        PbKind::Service(pb::Service {}) => Kind::Service,
    };
    Ok(Principal {
        id: field::name("principal.id", &principal.id, Id::parse)?,
        kind,
        display_name: principal.display_name.into(),
        groups: groups(&principal.groups)?,
        suspended: principal.suspended,
    })
}

fn groups(names: &[String]) -> Result<BTreeSet<Name>, Malformed> {
    if !names.is_sorted_by(|a, b| a < b) {
        return Err(Flaw::Order.of("principal.groups"));
    }
    names.iter().map(|group| field::name("principal.groups", group, Name::parse)).collect()
}

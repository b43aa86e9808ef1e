//! The state as items, in the order of the fields of `SnapshotItem`.

use authority::{Remembered, node::Node, request, snapshot::Parts};

use crate::{
    credential, event, grant, head, operator, outcome,
    pb::replica::v1::{self as pb, SnapshotItem, snapshot_item::Item},
    principal, server, version,
};

pub(super) fn header(parts: &Parts) -> SnapshotItem {
    wrap(Item::Header(pb::SnapshotHeader {
        format: version::SNAPSHOT,
        cluster: parts.cluster.as_ref().map(|cluster| cluster.as_str().to_owned()),
        time_ms: parts.time.0,
        revision: parts.revision.0,
        last_event: parts.last_event.0,
        gone_credential_version: parts.gone_credential_version,
    }))
}

/// Everything between header and end. Each item is made when it is asked for, so that only one is in memory.
pub(super) fn all(parts: &Parts) -> impl Iterator<Item = SnapshotItem> + '_ {
    let principals = parts.principals.iter().map(|it| Item::Principal(principal::to_pb(it)));
    let servers = parts.servers.iter().map(|it| Item::Server(server::to_pb(it)));
    let credentials = parts.credentials.iter().map(|it| Item::Credential(credential::to_pb(it)));
    let grants = parts.grants.iter().map(|it| Item::Grant(grant::to_pb(it)));
    let operators = parts.operators.iter().map(|it| Item::Operator(operator::to_pb(it)));
    let nodes = parts.nodes.iter().map(|it| Item::Node(node(it)));
    let head = parts.head.iter().map(|it| Item::Head(head::to_pb(it)));
    let answers = parts.requests.iter().map(|(id, kept)| Item::Answer(answer(id, kept)));
    let events = parts.unarchived.iter().map(|it| Item::Event(event::to_pb(it)));
    let people = principals.chain(servers).chain(credentials).chain(grants).chain(operators);
    people.chain(nodes).chain(head).chain(answers).chain(events).map(wrap)
}

fn wrap(item: Item) -> SnapshotItem {
    SnapshotItem { item: Some(item) }
}

fn node(node: &Node) -> pb::Node {
    pb::Node { id: node.id.0, epoch: node.epoch.0 }
}

fn answer(id: &request::Id, kept: &Remembered) -> pb::KeptAnswer {
    pb::KeptAnswer {
        request: id.0.to_vec(),
        command: kept.command.to_owned(),
        outcome: Some(outcome::to_pb(&kept.outcome)),
        time_ms: kept.time.0,
        subject: kept.subject.to_string(),
    }
}

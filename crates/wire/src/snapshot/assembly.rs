//! Putting the items of a snapshot together, each where it belongs.

use std::sync::Arc;

use authority::{
    Remembered,
    event::{Number, Revision},
    node::{Epoch, Id as NodeId, Node},
    request,
    snapshot::Parts,
    time::Wall,
};

use super::ReadFailed;
use crate::{
    credential, event, field, grant, head,
    malformed::{Flaw, Malformed},
    operator, outcome,
    pb::replica::v1::{self as pb, SnapshotItem, snapshot_item::Item},
    principal, server, version,
};

/// A snapshot that is being read.
pub(super) struct Assembly {
    parts: Parts,
    /// How many items were taken since the header.
    items: u64,
    /// The rank of the last item; see [`rank`].
    rank: u8,
}

/// Why an item is refused, before its number is known.
enum Refused {
    Malformed(Malformed),
    OutOfPlace,
}

impl Assembly {
    /// Begins with the header.
    pub(super) fn begin(item: SnapshotItem) -> Result<Self, ReadFailed> {
        let Some(Item::Header(header)) = item.item else {
            return Err(ReadFailed::OutOfPlace { item: 0 });
        };
        if header.format != version::SNAPSHOT {
            return Err(ReadFailed::UnknownFormat { format: header.format });
        }
        let cluster = header.cluster.as_deref().map(|name| field::cluster("snapshot_header.cluster", name));
        let parts = Parts {
            cluster: cluster.transpose().map_err(|malformed| ReadFailed::Item { item: 0, malformed })?,
            time: Wall(header.time_ms),
            revision: Revision(header.revision),
            last_event: Number(header.last_event),
            gone_credential_version: header.gone_credential_version,
            ..Parts::default()
        };
        Ok(Self { parts, items: 0, rank: 0 })
    }

    /// How many items were taken since the header.
    pub(super) fn items(&self) -> u64 {
        self.items
    }

    /// Takes the next item. The end item yields what was put together.
    pub(super) fn take(&mut self, item: SnapshotItem) -> Result<Option<Parts>, ReadFailed> {
        let number = self.items + 1;
        let absent = || ReadFailed::Item { item: number, malformed: Flaw::Absent.of("snapshot_item.item") };
        let item = item.item.ok_or_else(absent)?;
        let rank = rank(&item);
        if rank < self.rank {
            return Err(ReadFailed::OutOfPlace { item: number });
        }
        self.rank = rank;
        if let Item::End(end) = item {
            if end.items != self.items {
                return Err(ReadFailed::Count { items: self.items, counted: end.items });
            }
            return Ok(Some(std::mem::take(&mut self.parts)));
        }
        self.place(item).map_err(|refused| match refused {
            Refused::Malformed(malformed) => ReadFailed::Item { item: number, malformed },
            Refused::OutOfPlace => ReadFailed::OutOfPlace { item: number },
        })?;
        self.items = number;
        Ok(None)
    }

    fn place(&mut self, item: Item) -> Result<(), Refused> {
        let parts = &mut self.parts;
        match item {
            Item::Principal(it) => {
                let it = Arc::new(principal::from_pb(Some(it))?);
                append(&mut parts.principals, it, |it| it.id.clone())
            }
            Item::Server(it) => {
                append(&mut parts.servers, Arc::new(server::from_pb(&it)?), |it| it.id.clone())
            }
            Item::Credential(it) => {
                let it = Arc::new(credential::from_pb(Some(it))?);
                append(&mut parts.credentials, it, |it| it.id.clone())
            }
            Item::Grant(it) => append(&mut parts.grants, Arc::new(grant::from_pb(Some(it))?), |it| it.id),
            Item::Operator(it) => {
                let it = Arc::new(operator::from_pb(Some(it))?);
                append(&mut parts.operators, it, |it| it.id.clone())
            }
            Item::Node(it) => {
                let it = Node { id: NodeId(it.id), epoch: Epoch(it.epoch) };
                append(&mut parts.nodes, it, |it| it.id)
            }
            Item::Head(it) => {
                let head = Arc::new(head::from_pb(Some(it))?);
                if parts.head.replace(head).is_some() { Err(Refused::OutOfPlace) } else { Ok(()) }
            }
            Item::Answer(it) => {
                parts.requests.push(answer(it)?);
                Ok(())
            }
            Item::Event(it) => append(&mut parts.unarchived, Arc::new(event::from_pb(it)?), |it| it.number),
            // A second header, or an end, which `take` has taken.
            Item::Header(_) | Item::End(_) => Err(Refused::OutOfPlace),
        }
    }
}

/// Where an item of this kind stands.
fn rank(item: &Item) -> u8 {
    match item {
        Item::Header(_) => 0,
        Item::Principal(_) => 1,
        Item::Server(_) => 2,
        Item::Credential(_) => 3,
        Item::Grant(_) => 4,
        Item::Operator(_) => 5,
        Item::Node(_) => 6,
        Item::Head(_) => 7,
        Item::Answer(_) => 8,
        Item::Event(_) => 9,
        Item::End(_) => 10,
    }
}

/// Appends an item whose key is greater than that of the last one.
fn append<T, K: Ord>(list: &mut Vec<T>, item: T, key: impl Fn(&T) -> K) -> Result<(), Refused> {
    if list.last().is_some_and(|last| key(last) >= key(&item)) {
        return Err(Refused::OutOfPlace);
    }
    list.push(item);
    Ok(())
}

fn answer(answer: pb::KeptAnswer) -> Result<(request::Id, Remembered), Malformed> {
    let kept = Remembered {
        command: field::command("kept_answer.command", &answer.command)?,
        subject: answer.subject.into(),
        outcome: outcome::from_pb(answer.outcome)?,
        time: Wall(answer.time_ms),
    };
    Ok((field::request("kept_answer.request", &answer.request)?, kept))
}

impl From<Malformed> for Refused {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

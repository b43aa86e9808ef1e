//! Who asked for a change.

use authority::{event::Actor, node, operator};

use crate::{
    field,
    malformed::Malformed,
    pb::events::v1::{self as pb, actor::Who},
};

pub(crate) fn to_pb(actor: &Actor) -> pb::Actor {
    let who = match actor {
        Actor::Operator(id) => Who::Operator(id.as_str().to_owned()),
        Actor::Node(id) => Who::Node(id.0),
        Actor::Founder => Who::Founder(pb::Founder {}),
    };
    pb::Actor { who: Some(who) }
}

pub(crate) fn from_pb(actor: Option<pb::Actor>) -> Result<Actor, Malformed> {
    Ok(match field::required("actor.who", actor.and_then(|actor| actor.who))? {
        Who::Operator(id) => Actor::Operator(field::name("actor.operator", &id, operator::Id::parse)?),
        Who::Node(id) => Actor::Node(node::Id(id)),
        Who::Founder(pb::Founder {}) => Actor::Founder,
    })
}

//! The answer to a command, as events and snapshots keep it and as nodes give it to each other.

use authority::{
    command::{Outcome, Rejected, Rejection},
    event::Revision,
};
use prost::Message;

use crate::{
    canonical, field,
    malformed::{Flaw, Malformed},
    pb::events::v1::{self as pb, Rejection as Pb, outcome::Outcome as PbOutcome},
};

/// Writes an answer.
pub fn encode(outcome: &Outcome) -> Vec<u8> {
    to_pb(outcome).encode_to_vec()
}

/// Reads an answer.
pub fn decode(bytes: &[u8]) -> Result<Outcome, Malformed> {
    from_pb(Some(canonical::decode("outcome", bytes)?))
}

pub(crate) fn to_pb(outcome: &Outcome) -> pb::Outcome {
    let outcome = match outcome {
        Outcome::Done { revision, changed } => {
            PbOutcome::Done(pb::Done { revision: revision.0, changed: *changed })
        }
        Outcome::Rejected(rejected) => PbOutcome::Rejected(pb::Rejected {
            rejection: rejection_to_pb(rejected.rejection).into(),
            subject: rejected.subject.as_ref().to_owned(),
        }),
    };
    pb::Outcome { outcome: Some(outcome) }
}

pub(crate) fn from_pb(outcome: Option<pb::Outcome>) -> Result<Outcome, Malformed> {
    Ok(match field::required("outcome", outcome.and_then(|outcome| outcome.outcome))? {
        PbOutcome::Done(done) => Outcome::Done { revision: Revision(done.revision), changed: done.changed },
        PbOutcome::Rejected(rejected) => Outcome::Rejected(Rejected {
            rejection: rejection(rejected.rejection)?,
            subject: rejected.subject.into(),
        }),
    })
}

fn rejection_to_pb(rejection: Rejection) -> Pb {
    match rejection {
        Rejection::ClusterNotFounded => Pb::ClusterNotFounded,
        Rejection::ClusterExists => Pb::ClusterExists,
        Rejection::AlreadyExists => Pb::AlreadyExists,
        Rejection::NotFound => Pb::NotFound,
        Rejection::ServerRemoved => Pb::ServerRemoved,
        Rejection::OwnerIsAgent => Pb::OwnerIsAgent,
        Rejection::OriginMismatch => Pb::OriginMismatch,
        Rejection::VersionMismatch => Pb::VersionMismatch,
        Rejection::GrantRevoked => Pb::GrantRevoked,
        Rejection::TokenInUse => Pb::TokenInUse,
        Rejection::WiderThanParent => Pb::WiderThanParent,
        Rejection::TooDeep => Pb::TooDeep,
        Rejection::OutOfBounds => Pb::OutOfBounds,
        Rejection::TimesContradict => Pb::TimesContradict,
        Rejection::EpochNotNewer => Pb::EpochNotNewer,
        Rejection::HeadMismatch => Pb::HeadMismatch,
        Rejection::ArchiveBehind => Pb::ArchiveBehind,
        Rejection::RequestIdReused => Pb::RequestIdReused,
    }
}

fn rejection(value: i32) -> Result<Rejection, Malformed> {
    let known = Rejection::ALL.into_iter().find(|known| i32::from(rejection_to_pb(*known)) == value);
    known.ok_or(Flaw::UnknownValue { value }.of("rejected.rejection"))
}

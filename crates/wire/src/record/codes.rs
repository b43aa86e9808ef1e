//! The closed lists of the record: why a call is refused, and how one ends.

use authority::{denial::Reason, record::Ending};

use crate::{
    malformed::{Flaw, Malformed},
    pb::audit::v1 as pb,
};

pub(super) fn reason_to_pb(reason: Reason) -> pb::Reason {
    match reason {
        Reason::NoView => pb::Reason::NoView,
        Reason::LeaseExpired => pb::Reason::LeaseExpired,
        Reason::Draining => pb::Reason::Draining,
        Reason::TokenNotCurrent => pb::Reason::TokenNotCurrent,
        Reason::GrantRevoked => pb::Reason::GrantRevoked,
        Reason::GrantExpired => pb::Reason::GrantExpired,
        Reason::GrantNotYetValid => pb::Reason::GrantNotYetValid,
        Reason::PrincipalSuspended => pb::Reason::PrincipalSuspended,
        Reason::OwnerSuspended => pb::Reason::OwnerSuspended,
        Reason::ServerOutOfScope => pb::Reason::ServerOutOfScope,
        Reason::ServerDisabled => pb::Reason::ServerDisabled,
        Reason::CredentialRemoved => pb::Reason::CredentialRemoved,
        Reason::ToolOutOfScope => pb::Reason::ToolOutOfScope,
        Reason::PromptOutOfScope => pb::Reason::PromptOutOfScope,
        Reason::ResourceOutOfScope => pb::Reason::ResourceOutOfScope,
        Reason::ResourceUriNotNormal => pb::Reason::ResourceUriNotNormal,
        Reason::MethodNotKnown => pb::Reason::MethodNotKnown,
    }
}

pub(super) fn reason(value: i32) -> Result<Reason, Malformed> {
    let known = Reason::ALL.into_iter().find(|known| i32::from(reason_to_pb(*known)) == value);
    known.ok_or(Flaw::UnknownValue { value }.of("denied.reason"))
}

pub(super) fn ending_to_pb(ending: Ending) -> pb::Ending {
    match ending {
        Ending::Completed => pb::Ending::Completed,
        Ending::UpstreamError => pb::Ending::UpstreamError,
        Ending::UpstreamFailed => pb::Ending::UpstreamFailed,
        Ending::LimitReached => pb::Ending::LimitReached,
        Ending::Cut => pb::Ending::Cut,
        Ending::LeaseLost => pb::Ending::LeaseLost,
        Ending::ClientGone => pb::Ending::ClientGone,
        Ending::Drained => pb::Ending::Drained,
    }
}

pub(super) fn ending(value: i32) -> Result<Ending, Malformed> {
    let known = Ending::ALL.into_iter().find(|known| i32::from(ending_to_pb(*known)) == value);
    known.ok_or(Flaw::UnknownValue { value }.of("call_outcome.ending"))
}

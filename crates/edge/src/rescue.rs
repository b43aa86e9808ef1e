//! Every way in which a request fails, turned into an answer: the one place where failures meet statuses.
//!
//! Each family of failures has one exhaustive match, so that a new failure cannot be forgotten here. What a client is
//! told:
//!
//! | what happened | HTTP | body |
//! |---|---|---|
//! | no grant, or a grant that is over | 401, `WWW-Authenticate: Bearer` | JSON-RPC error -31001 |
//! | a `tools/call` outside the grant | 200 | result with `isError`, its text beginning `[denied]` |
//! | another method outside the grant | 200 | JSON-RPC error -31001; -32601 if nobody has the method |
//! | a notification, response or stream outside the grant | 403 | JSON-RPC error -31001 |
//! | a session the grant cannot continue | 404 | JSON-RPC error -31001 |
//! | this node cannot decide or record now | 503, `Retry-After` | JSON-RPC error -31002 |
//! | the upstream failed, or refuses the gateway (401, 403, a redirect) | 502 or 504 | JSON-RPC error -31003 |
//!
//! Enforcement answers plain JSON, never a stream, because clients resume streams that end in an error. What must stay
//! true: a message tells what to do next, and none carries a secret, an address of an upstream or a byte of a body.

use authority::{Denial, Reason, denial::Rule, enforcement::CutReason, record::Ending};
use http::{HeaderValue, StatusCode, header};
use mcp::{
    id::Id,
    reply::{self, code},
    revision::Era,
};
use upstream::{ForwardFailed, ReplyBroken};
use wal::NotRecorded;

use crate::{
    answer::{self, Answer},
    authenticate::Unauthenticated,
    body::BodyRefused,
    broke::Broke,
    host_origin::HostRefused,
    refusal::Refusal,
    request::{Asked, NotUnderstood, Part},
    session::SessionUnknown,
    slots::Busy,
};

/// After how many seconds a client may try a node again that cannot decide or record: a leader change takes about one.
const RETRY_AFTER_SECONDS: &str = "2";

/// The challenge to a request without a grant (RFC 6750, section 3). It names no metadata, so that no client starts an
/// OAuth flow.
const CHALLENGE: &str = "Bearer realm=\"portcullis\"";
const CHALLENGE_INVALID: &str = "Bearer realm=\"portcullis\", error=\"invalid_token\"";

/// What the other messages of a batch are told when one is denied.
const BATCH_DENIED: &str =
    "[denied] not sent: another message of the batch was denied, and a batch goes as a whole";

/// The answer to a request that never became a call.
pub(crate) fn refused(refusal: &Refusal) -> Answer {
    let plain = |status, code| answer::json(status, reply::error(None, code, &refusal.to_string()));
    match refusal {
        Refusal::Host(HostRefused::Invalid) => plain(StatusCode::BAD_REQUEST, code::INVALID_REQUEST),
        Refusal::Host(HostRefused::HostNotListed | HostRefused::OriginNotListed) => {
            plain(StatusCode::FORBIDDEN, code::DENIED)
        }
        Refusal::Nowhere => plain(StatusCode::NOT_FOUND, code::INVALID_REQUEST),
        Refusal::Verb { allow } => {
            with(plain(StatusCode::METHOD_NOT_ALLOWED, code::INVALID_REQUEST), header::ALLOW, allow)
        }
        Refusal::NoView => retry_later(plain(StatusCode::SERVICE_UNAVAILABLE, code::UNAVAILABLE)),
        Refusal::Unauthenticated(why) => {
            let challenge = if *why == Unauthenticated::Missing { CHALLENGE } else { CHALLENGE_INVALID };
            with(plain(StatusCode::UNAUTHORIZED, code::DENIED), header::WWW_AUTHENTICATE, challenge)
        }
        Refusal::Body(BodyRefused::TooLarge { .. }) => {
            closing(plain(StatusCode::PAYLOAD_TOO_LARGE, code::INVALID_REQUEST))
        }
        Refusal::Body(BodyRefused::TooSlow) => {
            closing(plain(StatusCode::REQUEST_TIMEOUT, code::INVALID_REQUEST))
        }
        Refusal::Body(BodyRefused::Broken) => closing(plain(StatusCode::BAD_REQUEST, code::PARSE_ERROR)),
        Refusal::NotUnderstood(why) => not_understood(why),
        Refusal::Session(SessionUnknown) => plain(StatusCode::NOT_FOUND, code::DENIED),
        Refusal::Busy(Busy::Grant { .. }) => {
            retry_later(plain(StatusCode::TOO_MANY_REQUESTS, code::UNAVAILABLE))
        }
        Refusal::Busy(Busy::Node { .. }) => {
            retry_later(plain(StatusCode::SERVICE_UNAVAILABLE, code::UNAVAILABLE))
        }
    }
}

fn not_understood(why: &NotUnderstood) -> Answer {
    let plain = |status| answer::json(status, reply::error(None, code::INVALID_REQUEST, &why.to_string()));
    let bad = |body: Vec<u8>| answer::json(StatusCode::BAD_REQUEST, body);
    match why {
        NotUnderstood::ContentType => plain(StatusCode::UNSUPPORTED_MEDIA_TYPE),
        NotUnderstood::NotAcceptable => plain(StatusCode::NOT_ACCEPTABLE),
        NotUnderstood::Body(refusal) => bad(reply::unreadable(refusal)),
        NotUnderstood::Revision(unsupported) => {
            bad(reply::unsupported_revision(None, unsupported, &mcp::revision::Revision::SERVED))
        }
        NotUnderstood::Headers { id, fault } => bad(reply::header_fault(id.as_ref(), fault)),
        NotUnderstood::NotInRevision { id, fault } => bad(reply::not_in_revision(id.as_ref(), fault)),
        NotUnderstood::Target { id, fault } => {
            bad(reply::error(id.as_ref(), code::INVALID_PARAMS, &fault.to_string()))
        }
    }
}

/// The answer to a request of which at least one message is denied. `denials` stand beside the messages.
pub(crate) fn denied(asked: &Asked, denials: &[Option<Denial>]) -> Answer {
    let first = denials.iter().flatten().next().expect("this is called for a denial");
    let text = format!("{} {first}", reply::DENIED_MARK);
    if first.reason.ends_the_token() {
        let answer = error_to_all(asked, StatusCode::UNAUTHORIZED, code::DENIED, &text);
        return with(answer, header::WWW_AUTHENTICATE, CHALLENGE_INVALID);
    }
    if first.reason.is_the_node() {
        return retry_later(error_to_all(asked, StatusCode::SERVICE_UNAVAILABLE, code::UNAVAILABLE, &text));
    }
    let era = asked.revision.era();
    let each = asked.parts.iter().zip(denials);
    let answers: Vec<_> =
        each.filter_map(|(part, denial)| Some(denial_of(part, part.id()?, denial.as_ref(), era))).collect();
    match answers.as_slice() {
        [] => answer::json(StatusCode::FORBIDDEN, reply::error(None, code::DENIED, &text)),
        _ if asked.is_batch => answer::json(StatusCode::OK, reply::batch(&answers)),
        [single, ..] => answer::json(denied_status(first.reason, era), single.clone()),
    }
}

/// The specification gives an unknown method 404 in the modern era, and clients of older ones expect errors under 200.
fn denied_status(reason: Reason, era: Era) -> StatusCode {
    match era {
        Era::Modern if reason == Reason::MethodNotKnown => StatusCode::NOT_FOUND,
        Era::Modern | Era::Legacy => StatusCode::OK,
    }
}

fn denial_of(part: &Part, id: &Id<'_>, denial: Option<&Denial>, era: Era) -> Vec<u8> {
    match denial {
        None => reply::error(Some(id), code::DENIED, BATCH_DENIED),
        Some(denial) if denial.reason == Reason::MethodNotKnown => {
            reply::error(Some(id), code::METHOD_NOT_FOUND, &format!("{} {denial}", reply::DENIED_MARK))
        }
        Some(denial) if part.method == "tools/call" => reply::denied_tool_call(id, &denial.to_string(), era),
        Some(denial) => reply::denied(id, &denial.to_string()),
    }
}

/// The answer to a call that cannot be recorded, and is not forwarded for it.
pub(crate) fn not_recorded(asked: &Asked, why: &NotRecorded) -> Answer {
    let text = match why {
        NotRecorded::Full => {
            "this node's audit log is full, so it takes no calls; an operator has to make room"
        }
        NotRecorded::Busy => "this node's audit log is busy; try again in a moment",
        NotRecorded::TooLong { .. } => "this call is too large for the audit log",
        NotRecorded::Failed(_) => "this node's audit log has failed, so it takes no calls; try another node",
        NotRecorded::Closed => "this node is shutting down; try again in a moment",
    };
    retry_later(error_to_all(asked, StatusCode::SERVICE_UNAVAILABLE, code::UNAVAILABLE, text))
}

/// The answer to a call that was cut before its answer began; `rule` names what decided, where something did.
pub(crate) fn cut(asked: &Asked, reason: CutReason, rule: impl FnOnce(Reason) -> Rule) -> Answer {
    let unavailable =
        |text| retry_later(error_to_all(asked, StatusCode::SERVICE_UNAVAILABLE, code::UNAVAILABLE, text));
    match reason {
        CutReason::Narrowed(reason) => {
            let denial = Denial { reason, rule: rule(reason) };
            denied(asked, &vec![Some(denial); asked.parts.len()])
        }
        CutReason::LeaseExpired => {
            unavailable("this node lost its lease while it worked; try again in a moment")
        }
        // Nobody reads this one.
        CutReason::ClientGone => unavailable("the client went away"),
        CutReason::Draining => unavailable("this node is shutting down; try again in a moment"),
    }
}

/// The answer when the upstream's is missing or cannot be passed on.
pub(crate) fn bad_upstream(asked: &Asked, status: StatusCode, text: &str) -> Answer {
    error_to_all(asked, status, code::BAD_UPSTREAM, text)
}

/// One error for each request that waits for an answer.
pub(crate) fn error_to_all(asked: &Asked, status: StatusCode, code: i32, text: &str) -> Answer {
    let errors: Vec<_> = asked.ids().map(|id| reply::error(Some(id), code, text)).collect();
    let body = match errors.as_slice() {
        [] => reply::error(None, code, text),
        _ if asked.is_batch => reply::batch(&errors),
        [single, ..] => single.clone(),
    };
    answer::json(status, body)
}

fn retry_later(answer: Answer) -> Answer {
    with(answer, header::RETRY_AFTER, RETRY_AFTER_SECONDS)
}

/// The answer as the last of its connection: because the rest of a body was not read, or nothing more is owed to it.
pub(crate) fn closing(answer: Answer) -> Answer {
    with(answer, header::CONNECTION, "close")
}

fn with(mut answer: Answer, name: header::HeaderName, value: &'static str) -> Answer {
    answer.headers_mut().insert(name, HeaderValue::from_static(value));
    answer
}

/// The answer when a call ended without one, which is a fault of ours. Whether it took effect is for the record to say.
pub(crate) fn call_failed() -> Answer {
    let text = "the gateway failed while it worked on this call; whether the call took effect is not known";
    answer::json(StatusCode::INTERNAL_SERVER_ERROR, reply::error(None, code::UNAVAILABLE, text))
}

/// The status for a call that failed at its upstream, and how it ended.
pub(crate) fn forward_failed(failed: &ForwardFailed) -> (StatusCode, Ending) {
    match failed {
        ForwardFailed::Cut { .. } => (StatusCode::SERVICE_UNAVAILABLE, Ending::Cut),
        ForwardFailed::HeadTimedOut(_) => (StatusCode::GATEWAY_TIMEOUT, Ending::LimitReached),
        ForwardFailed::HeadTooLarge | ForwardFailed::BodyTooLarge { .. } => {
            (StatusCode::BAD_GATEWAY, Ending::LimitReached)
        }
        ForwardFailed::Unauthorized | ForwardFailed::Forbidden | ForwardFailed::Redirected(_) => {
            (StatusCode::BAD_GATEWAY, Ending::UpstreamError)
        }
        ForwardFailed::NotAttached(_)
        | ForwardFailed::Path(_)
        | ForwardFailed::NotConnected(_)
        | ForwardFailed::Lost { .. }
        | ForwardFailed::HeadRefused(_)
        | ForwardFailed::Upgraded => (StatusCode::BAD_GATEWAY, Ending::UpstreamFailed),
    }
}

/// What is said of an answer that broke, and how its call ended. A call that had to stop is not for here.
pub(crate) fn broke(broke: &Broke) -> (&'static str, Ending) {
    match broke {
        Broke::Stopped(_) | Broke::Reply(ReplyBroken::Cut(_)) => ("the call was cut", Ending::Cut),
        Broke::Reply(ReplyBroken::Lost(_)) => {
            ("the connection to the upstream server broke", Ending::UpstreamFailed)
        }
        Broke::Reply(
            ReplyBroken::TooLarge { .. }
            | ReplyBroken::Stream(_)
            | ReplyBroken::Stalled(_)
            | ReplyBroken::TooOld(_)
            | ReplyBroken::TooSlow(_),
        )
        | Broke::TooLarge => ("the upstream server's answer went over a bound", Ending::LimitReached),
        Broke::Unreadable => ("the upstream server's list cannot be read", Ending::UpstreamFailed),
        Broke::NotAnAnswer => {
            ("the upstream server's answer is not a response to this request", Ending::UpstreamFailed)
        }
        Broke::SessionId => ("the upstream server's session id cannot be used", Ending::UpstreamFailed),
    }
}

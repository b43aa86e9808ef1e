//! One call and its upstream: send, take the answer, decide what of it the client gets.
//!
//! | the upstream answers | the client gets |
//! |---|---|
//! | JSON that is the response to the request | the same bytes; a list cut down to what the grant may see |
//! | a stream of events | those that are for the client, as they come, with comments while it is silent |
//! | nothing, to a notification or a response | 202 |
//! | an error status with a JSON-RPC error | the error, unless [`crate::bridge`] has to translate it |
//! | anything else | an error of ours, because nothing else of an upstream's reaches a client |
//!
//! What must stay true: each way out of here gives the client an answer or visibly aborts the one that began, and says
//! how the call ended, so that its outcome can be recorded.

use std::sync::Arc;

use authority::{
    Reason, RecordedPermit,
    decision::still_allowed,
    denial::Rule,
    enforcement::{Call, CutReason},
    record::Ending,
};
use http::StatusCode;
use upstream::{ForwardFailed, Outbound, Reply, Report, Verb};

use crate::{
    broke::Broke,
    cutoff::Stop,
    facts::Caller,
    relay::Relay,
    request::{Asked, PartKind},
    rescue,
    service::Edge,
};

pub(crate) mod answering;
mod long_answer;
mod pass;

/// How a call ended, for its outcome.
#[derive(Debug)]
pub(crate) struct Ended {
    /// How.
    pub(crate) ending: Ending,
    /// The status of the upstream, if it answered.
    pub(crate) upstream_status: Option<u16>,
    /// The figures of the answer, if there was one.
    pub(crate) report: Option<Arc<Report>>,
}

impl Ended {
    fn without_answer(ending: Ending) -> Self {
        Self { ending, upstream_status: None, report: None }
    }
}

/// One exchange.
struct Exchange<'call> {
    edge: &'call Edge,
    caller: &'call Caller,
    asked: &'call Asked,
    relay: Relay,
}

/// Sends the call and hands its answer to the client.
pub(crate) async fn exchange(
    edge: &Edge,
    caller: &Caller,
    asked: &Asked,
    permit: RecordedPermit,
    relay: Relay,
) -> Ended {
    let mut exchange = Exchange { edge, caller, asked, relay };
    let outbound = outbound(caller, asked);
    let forward = edge.upstreams.forward(permit, outbound);
    match exchange.relay.until(forward).await {
        Ok(Ok(reply)) => exchange.answer(reply).await,
        Ok(Err(failed)) => exchange.failed(&failed),
        Err(stop) => Ended::without_answer(exchange.stopped(stop)),
    }
}

fn outbound(caller: &Caller, asked: &Asked) -> Outbound {
    let mut headers = asked.headers.clone();
    headers.session = caller.session.as_ref().map(|session| session.upstream.clone());
    if headers.session.is_none() {
        // Events are numbered per session. Without one the server would know nobody but the credential all share, and
        // could give one principal the stream of another.
        headers.last_event_id = None;
    }
    let verb = match asked.single().map(|part| &part.kind) {
        Some(PartKind::Stream) => Verb::Get,
        Some(PartKind::EndSession) => Verb::Delete,
        Some(PartKind::Request(_) | PartKind::Notification | PartKind::Response) | None => Verb::Post,
    };
    Outbound { verb, headers, body: asked.body.clone() }
}

/// The rule by which a call was cut: the one that denies it now, so that a denial names the same whichever side of the
/// decision the change met the call on. A change that was taken back meanwhile leaves the nearest that is known.
fn rule_of(edge: &Edge, caller: &Caller, asked: &Asked, reason: Reason) -> Rule {
    let call = Call {
        token: caller.claim.token,
        grant: caller.claim.grant,
        server: caller.server.clone(),
        action: asked.action.clone(),
    };
    let denied = edge.gate.view().and_then(|view| still_allowed(&view, &call, edge.now().wall).err());
    match denied {
        Some(denial) if denial.reason == reason => denial.rule,
        _ if matches!(reason, Reason::CredentialRemoved | Reason::ServerDisabled) => {
            Rule::Server(call.server)
        }
        _ => Rule::Grant(call.grant),
    }
}

impl Exchange<'_> {
    /// Hands the answer on and says how that ended.
    async fn answer(&mut self, reply: Reply) -> Ended {
        let upstream_status = Some(reply.status.as_u16());
        let report = Some(Arc::clone(&reply.report));
        let good = reply.status.is_success();
        let ending = match self.pass(reply).await {
            Ok(()) if good => Ending::Completed,
            Ok(()) => Ending::UpstreamError,
            Err(broke) => self.broke(&broke),
        };
        Ended { ending, upstream_status, report }
    }

    /// The upstream gave no answer that could be passed on.
    fn failed(&mut self, failed: &ForwardFailed) -> Ended {
        if let ForwardFailed::Cut { reason, .. } = failed {
            return Ended::without_answer(self.cut(*reason));
        }
        tracing::warn!(
            error = failed as &dyn std::error::Error,
            server = %self.caller.server,
            "a call failed at its upstream"
        );
        let (status, ending) = rescue::forward_failed(failed);
        self.relay.answer(rescue::bad_upstream(self.asked, status, &failed.to_string()));
        Ended { ending, upstream_status: failed.upstream_status(), report: None }
    }

    fn stopped(&mut self, stop: Stop) -> Ending {
        match stop {
            Stop::Abandoned => Ending::LimitReached,
            // Whoever cuts gives the reason before the mark shows the cut.
            Stop::Cut => self.cut(self.relay.mark().cut_reason().unwrap_or(CutReason::LeaseExpired)),
        }
    }

    /// Answers a cut call if its answer has not begun, and aborts one that has.
    fn cut(&mut self, reason: CutReason) -> Ending {
        let rule = |reason| rule_of(self.edge, self.caller, self.asked, reason);
        self.relay.answer_or_abort(|| rescue::cut(self.asked, reason, rule));
        match reason {
            CutReason::Narrowed(_) => Ending::Cut,
            CutReason::LeaseExpired => Ending::LeaseLost,
            CutReason::ClientGone => Ending::ClientGone,
            CutReason::Draining => Ending::Drained,
        }
    }

    /// The answer broke. The client is told if nothing of it went out, and sees an abort if something did.
    fn broke(&mut self, broke: &Broke) -> Ending {
        if let Some(stop) = broke.stop() {
            return self.stopped(stop);
        }
        let (text, ending) = rescue::broke(broke);
        self.relay.answer(rescue::bad_upstream(self.asked, StatusCode::BAD_GATEWAY, text));
        ending
    }
}

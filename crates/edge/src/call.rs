//! The path of a call: admit, record, forward, answer, record how it ended.
//!
//! ```text
//!  gate.admit ──Denial──► wal.denied ──► answer
//!      │ Permit
//!  wal.intent ──NotRecorded──► answer (nothing is sent)
//!      │ RecordedPermit
//!  exchange: upstreams.forward ──► answer, piece by piece          cut, expired, client gone ──► the exchange stops
//!      │ Ended
//!  wal.outcome, once, however it ended
//! ```
//!
//! A batch is one call: each of its messages is admitted and recorded by itself, and then the whole, whose mark is the
//! one that every write passes, so a change that denies any message cuts all of them. What must stay true: the calls
//! stay registered until the outcome is handed over, and nothing is forwarded for which there is no intent.

use std::sync::Arc;

use authority::{
    Denial, RecordedPermit,
    action::Action,
    enforcement::{self, Admitted, CallMark, Registered},
    event::Revision,
    record::{Denied, Ending, Intent, Outcome, Seq},
    time::{Boot, Wall},
};
use upstream::Report;
use wal::NotRecorded;

use crate::{
    answer::Answer,
    cutoff::Cutoff,
    exchange::{self, Ended},
    facts::{self, Caller},
    relay::{OnClientGone, Relay, Waiting},
    request::{Asked, Part},
    rescue,
    service::Edge,
};

/// An allowed request: the call that is forwarded, and the messages of a batch beside it.
struct Allowed {
    whole: Admitted,
    /// Empty unless it is a batch.
    messages: Vec<Admitted>,
}

/// An allowed request whose intents are recorded.
struct Recorded {
    permit: RecordedPermit,
    /// All intents: those of the messages of a batch, and the one that is forwarded.
    intents: Vec<Seq>,
    mark: Arc<CallMark>,
    expires_at: Option<Wall>,
    /// Keeps the calls in the table until the outcome is handed over.
    registered: Vec<Registered>,
}

/// Runs one call to its end. `client` gets the answer.
pub(crate) async fn run(edge: &Edge, caller: Caller, asked: Asked, client: Waiting) {
    let allowed = match admit(edge, &caller, &asked) {
        Ok(allowed) => allowed,
        Err(denials) => {
            let answer = deny(edge, &caller, &asked, &denials).await;
            // A client that has gone meanwhile reads no answer; the denial is recorded all the same.
            let _ = client.answer.send(answer);
            return;
        }
    };
    let recorded = match record(edge, &caller, &asked, allowed).await {
        Ok(recorded) => recorded,
        Err(why) => {
            tracing::warn!(%why, "a call was not forwarded because it could not be recorded");
            // As above: nothing was sent, and there is nothing to undo.
            let _ = client.answer.send(rescue::not_recorded(&asked, &why));
            return;
        }
    };
    let Recorded { permit, intents, mark, expires_at, registered } = recorded;
    let begun = edge.now().boot;
    let cutoff = Cutoff::new(Arc::clone(&mark), expires_at, Arc::clone(&edge.clock));
    let relay = Relay::new(client, cutoff, on_client_gone(edge, &asked));
    let ended = exchange::exchange(edge, &caller, &asked, permit, relay).await;
    // The writing ends before the outcome tells of it, so that what it says of late effects is the last word.
    mark.end();
    for intent in intents {
        edge.wal.outcome(outcome(edge, intent, begun, &ended, &mark));
    }
    drop(registered);
}

/// Admits the request, or says which of its messages are denied.
fn admit(edge: &Edge, caller: &Caller, asked: &Asked) -> Result<Allowed, Vec<Option<Denial>>> {
    let admit = |action: &Action| {
        let call = enforcement::Call {
            token: caller.claim.token,
            grant: caller.claim.grant,
            server: caller.server.clone(),
            action: action.clone(),
        };
        edge.gate.admit(call, || edge.now())
    };
    let all_denied = |denial: Denial| vec![Some(denial); asked.parts.len()];
    if !asked.is_batch {
        let whole = admit(&asked.action).map_err(all_denied)?;
        return Ok(Allowed { whole, messages: Vec::new() });
    }
    let each: Vec<_> = asked.parts.iter().map(|part| admit(&part.action)).collect();
    if each.iter().any(Result::is_err) {
        return Err(each.into_iter().map(Result::err).collect());
    }
    let messages = each.into_iter().flatten().collect();
    Ok(Allowed { whole: admit(&asked.action).map_err(all_denied)?, messages })
}

/// Records the denials and answers them. One that cannot be recorded is denied all the same, and the client is told to
/// come back, since the record of a denial is owed like that of a call.
async fn deny(edge: &Edge, caller: &Caller, asked: &Asked, denials: &[Option<Denial>]) -> Answer {
    if let Some(view) = edge.gate.view() {
        let decided = (view.revision(), edge.now().boot);
        let each = asked.parts.iter().zip(denials);
        let records: Vec<_> = each
            .filter_map(|(part, denial)| {
                let denial = denial.as_ref()?;
                let call = facts::of_part(&view, caller, asked, part, decided)?;
                Some(Denied { call, reason: denial.reason, rule: denial.rule.to_string() })
            })
            .collect();
        for record in records {
            if let Err(why) = edge.wal.denied(record).await {
                tracing::warn!(%why, "a denial could not be recorded");
                return rescue::not_recorded(asked, &why);
            }
        }
    }
    rescue::denied(asked, denials)
}

/// Records the intents: of each message of a batch, and last of what is forwarded.
async fn record(
    edge: &Edge,
    caller: &Caller,
    asked: &Asked,
    allowed: Allowed,
) -> Result<Recorded, NotRecorded> {
    let Allowed { whole, messages } = allowed;
    let mut intents = Vec::with_capacity(messages.len() + 1);
    let mut registered = Vec::with_capacity(messages.len() + 1);
    for (part, message) in asked.parts.iter().zip(messages) {
        let intent = intent(caller, asked, part, &message);
        match edge.wal.intent(message.permit, intent).await {
            Ok(recorded) => intents.push(recorded.intent()),
            Err(why) => {
                nothing_sent(edge, &intents, message.registered.mark());
                return Err(why);
            }
        }
        registered.push(message.registered);
    }
    let batch = Part::batch(&asked.parts);
    let part = asked.single().unwrap_or(&batch);
    let (mark, expires_at) = (Arc::clone(whole.registered.mark()), whole.permit.expires_at());
    let intent = intent(caller, asked, part, &whole);
    let permit = match edge.wal.intent(whole.permit, intent).await {
        Ok(permit) => permit,
        Err(why) => {
            nothing_sent(edge, &intents, &mark);
            return Err(why);
        }
    };
    intents.push(permit.intent());
    registered.push(whole.registered);
    Ok(Recorded { permit, intents, mark, expires_at, registered })
}

fn intent(caller: &Caller, asked: &Asked, part: &Part, admitted: &Admitted) -> Intent {
    let decided: (Revision, Boot) = (admitted.permit.revision(), admitted.permit.decided_at());
    let call = facts::of_part(&admitted.view, caller, asked, part, decided);
    Intent {
        call: call.expect("the view that allowed a call knows its grant and principal"),
        credential: admitted.permit.credential().map(|credential| credential.id.clone()),
    }
}

/// Ends the intents of a batch that is not forwarded because a later one could not be recorded.
fn nothing_sent(edge: &Edge, intents: &[Seq], mark: &CallMark) {
    let ended = Ended { ending: Ending::LimitReached, upstream_status: None, report: None };
    for intent in intents {
        edge.wal.outcome(outcome(edge, *intent, edge.now().boot, &ended, mark));
    }
}

fn outcome(edge: &Edge, intent: Seq, begun: Boot, ended: &Ended, mark: &CallMark) -> Outcome {
    let report = ended.report.as_deref();
    Outcome {
        intent,
        ending: ended.ending,
        upstream_status: ended.upstream_status,
        latency_micros: edge.now().boot.0.saturating_sub(begun.0) / 1_000,
        request_bytes: report.map_or(0, Report::request_bytes),
        response_bytes: report.map_or(0, Report::response_bytes),
        redacted: report.is_some_and(|report| report.redactions() > 0),
        late_effect: mark.had_late_effect(),
        last_check_at: mark.last_check(),
    }
}

fn on_client_gone(edge: &Edge, asked: &Asked) -> OnClientGone {
    if asked.is_stream() || asked.revision.disconnect_cancels() {
        OnClientGone::Cancel
    } else {
        OnClientGone::RunOn(edge.config.abandoned_call)
    }
}

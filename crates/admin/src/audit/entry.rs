//! One entry of the record in the form in which it is read. Sealed fields have no place in it: what an event holds of
//! token hashes and ciphertext is left behind here.

use authority::{
    command::Outcome,
    event::{Actor, Event, Happened},
    record::{self, Body, CallFacts, Record},
};
use ledger::{
    cursor::Cursor,
    entry::{Content, Entry},
};
use wire::pb::audit::v1 as pb;

use super::holders::Holders;
use crate::{
    instants::{self, timestamp},
    roles,
};

/// How many calls without an outcome the start of an epoch names: as many as were in flight, which a line
/// need not hold all.
const UNKNOWN_NAMED: usize = 20;

/// How many refused requests an entry describes in words.
const SAMPLES_TOLD: usize = 3;

/// The form of an entry, with the cursor that goes on after it; none for one that says nothing of its own.
pub(super) fn entry(read: &Entry, cursor: &Cursor, holders: &Holders) -> Option<pb::AuditEntry> {
    let mut form = form(read, holders)?;
    form.cursor = cursor.to_string();
    Some(form)
}

/// The form of an entry without a cursor.
pub(super) fn form(read: &Entry, holders: &Holders) -> Option<pb::AuditEntry> {
    let mut form = pb::AuditEntry {
        id: read.id(),
        time: Some(timestamp(read.time())),
        archived: read.archived,
        ..pb::AuditEntry::default()
    };
    match &read.content {
        Content::Event(happened) if says_nothing(&happened.event) => return None,
        Content::Event(happened) => {
            tell_change(happened, &mut form);
            holders.tell(&happened.event, &mut form);
        }
        Content::Record(record) => {
            if let Some(call) = read.call() {
                tell_call(call, &mut form);
            }
            tell_record(record, &mut form);
        }
    }
    Some(form)
}

fn tell_change(happened: &Happened, entry: &mut pb::AuditEntry) {
    entry.kind = pb::AuditKind::Change.into();
    entry.revision = happened.revision.0;
    entry.actor = match &happened.actor {
        Actor::Operator(id) => format!("operators/{id}"),
        Actor::Node(id) => format!("nodes/{id}"),
        Actor::Founder => "founder".to_owned(),
    };
    happened.event.kind().clone_into(&mut entry.event);
    entry.request_id = happened.request.to_string();
    entry.subject = tell_event(&happened.event, entry);
}

/// Whether another entry says the same: see the paragraph above [`super::Audit`].
fn says_nothing(event: &Event) -> bool {
    let answered =
        matches!(event, Event::CommandHandled { outcome: Outcome::Done { changed: true, .. }, .. });
    answered || event.is_archive_bookkeeping()
}

/// Answers what changed, and tells what else there is to say of it.
fn tell_event(event: &Event, entry: &mut pb::AuditEntry) -> String {
    match event {
        Event::ClusterFounded { cluster } => {
            entry.detail = format!("the cluster {cluster} was founded");
            String::new()
        }
        Event::PrincipalAdded(principal) => {
            entry.owner = principal.owner().map(|id| format!("principals/{id}")).unwrap_or_default();
            format!("principals/{}", principal.id)
        }
        Event::PrincipalSuspended(id) | Event::PrincipalResumed(id) => format!("principals/{id}"),
        Event::ServerAdded { server, endpoint } => {
            entry.detail = format!("at {}", endpoint.url());
            format!("servers/{server}")
        }
        Event::ServerDisabled(id) | Event::ServerEnabled(id) | Event::ServerRemoved(id) => {
            format!("servers/{id}")
        }
        Event::CredentialSet(credential) => {
            entry.server = format!("servers/{}", credential.server);
            entry.detail = format!("version {} for {}", credential.version, credential.origin);
            format!("credentials/{}", credential.id)
        }
        Event::CredentialRemoved(id) => format!("credentials/{id}"),
        Event::GrantIssued(grant) => {
            entry.principal = format!("principals/{}", grant.principal);
            entry.grants =
                [Some(grant.id), grant.parent].iter().flatten().map(|id| format!("grants/{id}")).collect();
            entry.detail = grant.label.to_string();
            format!("grants/{}", grant.id)
        }
        Event::GrantTokenRotated { grant, .. } | Event::GrantRevoked(grant) => format!("grants/{grant}"),
        Event::OperatorAdded(operator) => {
            entry.detail = format!("role {}", roles::name(operator.role));
            format!("operators/{}", operator.id)
        }
        Event::OperatorTokenRotated { operator, .. } => format!("operators/{operator}"),
        Event::IncarnationRegistered { node, epoch } => {
            entry.detail = format!("start {epoch}");
            format!("nodes/{node}")
        }
        Event::ArchiveHeadCommitted(head) => {
            entry.detail = format!("height {}, {} leaves", head.height, head.size);
            String::new()
        }
        Event::CommandHandled { command, outcome: Outcome::Rejected(rejected), .. } => {
            entry.reason = rejected.rejection.code().to_owned();
            entry.detail = format!("{command} was rejected: {rejected}");
            rejected.subject.to_string()
        }
        Event::CommandHandled { command, subject, outcome: Outcome::Done { .. } } => {
            entry.detail = format!("{command} found nothing to change");
            subject.to_string()
        }
    }
}

fn tell_record(record: &Record, entry: &mut pb::AuditEntry) {
    entry.edge = record.edge.0;
    let kind = match &record.body {
        Body::EpochStarted(started) => {
            entry.detail = epoch_in_words(record, started);
            pb::AuditKind::EpochStarted
        }
        Body::Intent(intent) => {
            let credential = intent.credential.as_ref().map(|id| format!("credentials/{id}"));
            entry.credential = credential.unwrap_or_default();
            pb::AuditKind::CallIntent
        }
        Body::Outcome(outcome) => {
            entry.result = Some(result(record, outcome));
            pb::AuditKind::CallOutcome
        }
        Body::Denied(denied) => {
            denied.reason.code().clone_into(&mut entry.reason);
            entry.rule.clone_from(&denied.rule);
            pb::AuditKind::CallDenied
        }
        Body::Refusals(refusals) => {
            tell_refusals(refusals, entry);
            pb::AuditKind::Refusals
        }
    };
    entry.kind = kind.into();
}

fn tell_refusals(refusals: &record::Refusals, entry: &mut pb::AuditEntry) {
    let count = |(reason, count): &(String, u64)| pb::RefusalCount { reason: reason.clone(), count: *count };
    entry.refusals = refusals.counts.iter().map(count).collect();
    let sample = |sample: &record::RefusalSample| format!("{} from {}", sample.reason, sample.peer);
    let told: Vec<_> = refusals.samples.iter().take(SAMPLES_TOLD).map(sample).collect();
    entry.detail = told.join("; ");
}

fn tell_call(facts: &CallFacts, entry: &mut pb::AuditEntry) {
    entry.revision = facts.revision.0;
    entry.principal = format!("principals/{}", facts.principal);
    entry.owner = facts.owner.as_ref().map(|id| format!("principals/{id}")).unwrap_or_default();
    entry.grants = facts.grants.iter().map(|id| format!("grants/{id}")).collect();
    entry.server = format!("servers/{}", facts.server);
    entry.method.clone_from(&facts.method);
    entry.target = facts.target.clone().unwrap_or_default();
    entry.mcp_revision.clone_from(&facts.mcp_revision);
    let client = facts.client.as_ref().map(|client| format!("{} {}", client.name, client.version));
    entry.client = client.map(|client| client.trim_end().to_owned()).unwrap_or_default();
    entry.peer.clone_from(&facts.peer);
    entry.trace = facts.trace.clone().unwrap_or_default();
    entry.argument_keys.clone_from(&facts.argument_keys);
    let digest = facts.arguments_digest.iter().flatten();
    entry.arguments_digest = digest.map(|byte| format!("{byte:02x}")).collect();
}

fn result(record: &Record, outcome: &record::Outcome) -> pb::CallResult {
    pb::CallResult {
        intent: format!("records/{}/{}/{}", record.edge, record.epoch, outcome.intent.0),
        ending: ending(outcome.ending).into(),
        upstream_status: outcome.upstream_status.map(u32::from).unwrap_or_default(),
        latency: Some(instants::duration(std::time::Duration::from_micros(outcome.latency_micros))),
        request_bytes: outcome.request_bytes,
        response_bytes: outcome.response_bytes,
        redacted: outcome.redacted,
        late_effect: outcome.late_effect,
    }
}

fn ending(ending: record::Ending) -> pb::Ending {
    match ending {
        record::Ending::Completed => pb::Ending::Completed,
        record::Ending::UpstreamError => pb::Ending::UpstreamError,
        record::Ending::UpstreamFailed => pb::Ending::UpstreamFailed,
        record::Ending::LimitReached => pb::Ending::LimitReached,
        record::Ending::Cut => pb::Ending::Cut,
        record::Ending::LeaseLost => pb::Ending::LeaseLost,
        record::Ending::ClientGone => pb::Ending::ClientGone,
        record::Ending::Drained => pb::Ending::Drained,
    }
}

fn epoch_in_words(record: &Record, started: &record::EpochStarted) -> String {
    let mut words = format!("start {}", record.epoch);
    if let Some(previous) = started.previous_epoch {
        words.push_str(&format!(" after start {previous}, which recorded {}", started.previous_seq.0));
    }
    if started.cut_bytes > 0 {
        words.push_str(&format!("; {} bytes that were never acknowledged were cut", started.cut_bytes));
    }
    if !started.outcome_unknown.is_empty() {
        words.push_str(&unknown_in_words(record, started));
    }
    words
}

/// The calls whose end nobody knows, by the ids of their intents, so that they can be found. They are of the start before.
fn unknown_in_words(record: &Record, started: &record::EpochStarted) -> String {
    let unknown = &started.outcome_unknown;
    let epoch = started.previous_epoch.map(|epoch| epoch.to_string()).unwrap_or_default();
    let named = unknown.iter().take(UNKNOWN_NAMED);
    let named: Vec<_> = named.map(|seq| format!("records/{}/{epoch}/{}", record.edge, seq.0)).collect();
    let more = match unknown.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("; calls whose outcome is unknown: {} ({}{more})", unknown.len(), named.join(", "))
}

#[cfg(test)]
mod tests {
    use authority::{
        node,
        record::{EpochStarted, Seq},
        time::Wall,
    };

    use super::*;

    fn started(unknown: impl Iterator<Item = u64>) -> String {
        let started = EpochStarted {
            previous_epoch: Some(node::Epoch(1)),
            previous_seq: Seq(40),
            cut_bytes: 0,
            outcome_unknown: unknown.map(Seq).collect(),
        };
        let record = Record {
            edge: node::Id(3),
            epoch: node::Epoch(2),
            seq: Seq(1),
            previous: [0; 32],
            time: Wall(0),
            body: Body::EpochStarted(started.clone()),
        };
        epoch_in_words(&record, &started)
    }

    #[test]
    fn calls_whose_outcome_is_unknown_are_named_by_their_entries() {
        assert_eq!(started(std::iter::empty()), "start 2 after start 1, which recorded 40");
        assert_eq!(
            started([12, 14].into_iter()),
            "start 2 after start 1, which recorded 40; \
             calls whose outcome is unknown: 2 (records/3/1/12, records/3/1/14)"
        );
        let many = started(1..=23);
        assert!(many.contains("unknown: 23 (") && many.ends_with("records/3/1/20 and 3 more)"), "{many}");
    }
}

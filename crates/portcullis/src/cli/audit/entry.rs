//! One entry of the audit, as JSON with stable names and as a line for people.

use serde_json::{Value, json};
use wire::pb::audit::v1::{AuditEntry, AuditKind, CallResult};

use crate::cli::{
    instant,
    output::{Column, printable},
};

/// What a table of entries shows.
pub const COLUMNS: [Column; 8] = [
    ("time", "time"),
    ("what", "kind"),
    ("principal", "principal"),
    ("owner", "owner"),
    ("server", "server"),
    ("target", "target"),
    ("how", "summary"),
    ("rev", "revision"),
];

/// The entry as an object. Names of resources are bare; what does not apply is null.
pub fn shown(entry: &AuditEntry) -> Value {
    let mut object = json!({
        "id": entry.id,
        "cursor": entry.cursor,
        "time": instant::shown(entry.time.as_ref()),
        "kind": kind(entry),
        "archived": entry.archived,
        "revision": entry.revision,
        "principal": bare(&entry.principal),
        "owner": bare(&entry.owner),
        "grant": grant(entry),
        "ancestors": entry.grants.iter().skip(1).map(|name| bare(name)).collect::<Vec<_>>(),
        "server": bare(&entry.server),
        "method": present(&entry.method),
        "tool": present(&entry.target),
        "mcp_revision": present(&entry.mcp_revision),
        "client": present(&entry.client),
        "peer": present(&entry.peer),
        "trace": present(&entry.trace),
        "argument_keys": entry.argument_keys,
        "arguments_digest": present(&entry.arguments_digest),
        "credential": bare(&entry.credential),
        "decision": decision(entry),
        "reason": present(&entry.reason),
        "rule": present(&entry.rule),
        "actor": present(&entry.actor),
        "subject": present(&entry.subject),
        "request_id": present(&entry.request_id),
        "edge": entry.edge,
        "detail": present(&entry.detail),
        "summary": summary(entry),
    });
    if let Some(result) = &entry.result {
        object["result"] = shown_result(result);
    }
    if !entry.refusals.is_empty() {
        let counts = entry.refusals.iter().map(|counted| (counted.reason.clone(), counted.count.into()));
        object["refusals"] = Value::Object(counts.collect());
    }
    object
}

/// The entry as a row of the table: what it shows for the target stands in one more member.
pub fn row(entry: &AuditEntry) -> Value {
    let mut object = shown(entry);
    object["target"] = present(target(entry));
    object
}

/// What was called: the tool, prompt or resource, or the method of a call that names none.
fn target(entry: &AuditEntry) -> &str {
    if entry.target.is_empty() { &entry.method } else { &entry.target }
}

/// The entry as one line, as it comes. What comes is never archived yet, so that is not said.
pub fn line(entry: &AuditEntry) -> String {
    let time = instant::shown(entry.time.as_ref());
    let time = time.as_str().unwrap_or("-");
    let who = entry.principal.trim_start_matches("principals/");
    let server = entry.server.trim_start_matches("servers/");
    let (kind, how) = (kind(entry), told(entry));
    let words = [kind.as_str(), who, server, target(entry), &how].map(printable);
    let said = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join("  ");
    format!("{time}  {said}")
}

/// What happened: the call's step, or the change by its own name.
fn kind(entry: &AuditEntry) -> String {
    match entry.kind() {
        AuditKind::Unspecified => "unknown".to_owned(),
        AuditKind::CallIntent => "intent".to_owned(),
        AuditKind::CallOutcome => "outcome".to_owned(),
        AuditKind::CallDenied => "denied".to_owned(),
        AuditKind::Refusals => "refusals".to_owned(),
        AuditKind::EpochStarted => "epoch_started".to_owned(),
        AuditKind::Change => entry.event.clone(),
    }
}

/// The grant of a call, or the one a change is about.
fn grant(entry: &AuditEntry) -> Value {
    let subject = entry.subject.strip_prefix("grants/");
    entry.grants.first().map(|name| bare(name)).or_else(|| subject.map(Value::from)).unwrap_or(Value::Null)
}

fn decision(entry: &AuditEntry) -> Value {
    match entry.kind() {
        AuditKind::CallIntent => "allow".into(),
        AuditKind::CallDenied => "deny".into(),
        AuditKind::Unspecified
        | AuditKind::CallOutcome
        | AuditKind::Refusals
        | AuditKind::EpochStarted
        | AuditKind::Change => Value::Null,
    }
}

/// The entry's point in a few words, for the table.
fn summary(entry: &AuditEntry) -> String {
    let told = told(entry);
    if entry.archived { told } else { format!("{told} (not yet archived)") }
}

fn told(entry: &AuditEntry) -> String {
    match entry.kind() {
        AuditKind::CallIntent => "allowed".to_owned(),
        AuditKind::CallDenied => format!("{} ({})", entry.reason, entry.rule),
        AuditKind::CallOutcome => entry.result.as_ref().map(told_result).unwrap_or_default(),
        AuditKind::Change => {
            let told = if entry.subject.is_empty() { &entry.detail } else { &entry.subject };
            let rejected = if entry.reason.is_empty() { "" } else { ": " };
            format!("{told} by {}{rejected}{}", entry.actor, entry.reason)
        }
        AuditKind::Refusals => {
            let counts = entry.refusals.iter().map(|counted| format!("{} {}", counted.count, counted.reason));
            counts.collect::<Vec<_>>().join(", ")
        }
        AuditKind::EpochStarted | AuditKind::Unspecified => entry.detail.clone(),
    }
}

fn told_result(result: &CallResult) -> String {
    let millis = instant::millis(result.latency.as_ref()).as_f64().unwrap_or_default();
    format!("{}, {millis:.1} ms", ending(result))
}

fn shown_result(result: &CallResult) -> Value {
    json!({
        "intent": result.intent,
        "ending": ending(result),
        "upstream_status": result.upstream_status,
        "latency_millis": instant::millis(result.latency.as_ref()),
        "request_bytes": result.request_bytes,
        "response_bytes": result.response_bytes,
        "redacted": result.redacted,
        "late_effect": result.late_effect,
    })
}

fn ending(result: &CallResult) -> String {
    result.ending().as_str_name().trim_start_matches("ENDING_").to_ascii_lowercase()
}

fn present(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { text.into() }
}

fn bare(name: &str) -> Value {
    present(name.split_once('/').map_or(name, |(_, id)| id))
}

#[cfg(test)]
mod tests {
    use prost_types::{Duration, Timestamp};
    use wire::pb::audit::v1::Ending;

    use super::*;

    fn call(kind: AuditKind) -> AuditEntry {
        AuditEntry {
            id: "records/1/2/3".to_owned(),
            time: Some(Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            kind: kind.into(),
            archived: true,
            revision: 7,
            principal: "principals/ana-agent".to_owned(),
            owner: "principals/ana".to_owned(),
            grants: vec!["grants/gr_leaf".to_owned(), "grants/gr_root".to_owned()],
            server: "servers/github".to_owned(),
            method: "tools/call".to_owned(),
            target: "get_issue".to_owned(),
            trace: "ab".repeat(16),
            ..AuditEntry::default()
        }
    }

    /// The members that scripts and the proofs read keep their names.
    #[test]
    fn a_call_is_shown_with_bare_names() {
        let object = shown(&call(AuditKind::CallIntent));
        for (member, value) in [
            ("kind", "intent"),
            ("decision", "allow"),
            ("principal", "ana-agent"),
            ("owner", "ana"),
            ("grant", "gr_leaf"),
            ("server", "github"),
            ("method", "tools/call"),
            ("tool", "get_issue"),
            ("time", "2023-11-14T22:13:20.000Z"),
        ] {
            assert_eq!(object[member], value, "{member}");
        }
        assert_eq!(object["ancestors"], json!(["gr_root"]));
        assert_eq!((&object["revision"], &object["archived"]), (&json!(7), &json!(true)));
        assert_eq!(object["trace"].as_str().map(str::len), Some(32));
    }

    #[test]
    fn a_denial_names_its_reason_and_its_rule() {
        let rule = "grants/gr_leaf/scopes".to_owned();
        let entry =
            AuditEntry { reason: "tool_out_of_scope".to_owned(), rule, ..call(AuditKind::CallDenied) };
        assert_eq!(
            line(&entry),
            "2023-11-14T22:13:20.000Z  denied  ana-agent  github  get_issue  \
             tool_out_of_scope (grants/gr_leaf/scopes)"
        );
        assert_eq!(shown(&entry)["decision"], "deny");
    }

    #[test]
    fn an_outcome_says_how_the_call_ended() {
        let result = CallResult {
            intent: "records/1/2/2".to_owned(),
            ending: Ending::UpstreamFailed.into(),
            latency: Some(Duration { seconds: 0, nanos: 12_340_000 }),
            ..CallResult::default()
        };
        let entry = AuditEntry { result: Some(result), archived: false, ..call(AuditKind::CallOutcome) };
        let object = shown(&entry);
        assert_eq!(object["summary"], "upstream_failed, 12.3 ms (not yet archived)");
        assert_eq!(object["result"]["intent"], "records/1/2/2");
        assert!(line(&entry).ends_with("upstream_failed, 12.3 ms"), "{}", line(&entry));
    }

    #[test]
    fn a_call_that_names_no_target_is_shown_by_its_method() {
        let entry = AuditEntry {
            method: "tools/list".to_owned(),
            target: String::new(),
            ..call(AuditKind::CallIntent)
        };
        assert_eq!(row(&entry)["target"], "tools/list");
        assert_eq!((&shown(&entry)["tool"], shown(&entry).get("target")), (&Value::Null, None));
        assert!(line(&entry).contains("  tools/list  "), "{}", line(&entry));
        assert_eq!(row(&call(AuditKind::CallIntent))["target"], "get_issue");
    }

    #[test]
    fn a_change_is_shown_under_its_own_name() {
        let change = |event: &str, subject: &str, reason: &str| AuditEntry {
            kind: AuditKind::Change.into(),
            event: event.to_owned(),
            subject: subject.to_owned(),
            actor: "operators/root".to_owned(),
            reason: reason.to_owned(),
            detail: "what there is to say".to_owned(),
            archived: true,
            ..AuditEntry::default()
        };
        let revoked = shown(&change("grant.revoked", "grants/gr_x", ""));
        assert_eq!((&revoked["kind"], &revoked["grant"]), (&json!("grant.revoked"), &json!("gr_x")));
        assert_eq!(revoked["summary"], "grants/gr_x by operators/root");
        let rejected = shown(&change("command.handled", "servers/x", "ALREADY_EXISTS"));
        assert_eq!(rejected["summary"], "servers/x by operators/root: ALREADY_EXISTS");
        assert_eq!(
            shown(&change("command.handled", "", ""))["summary"],
            "what there is to say by operators/root"
        );
    }

    #[test]
    fn b17_a_line_of_the_tail_cannot_be_forged() {
        let entry = AuditEntry { target: "x\n2023  grant.revoked".to_owned(), ..call(AuditKind::CallIntent) };
        assert_eq!(line(&entry).lines().count(), 1);
    }
}

//! One entry of the audit, as JSON with stable names and as a line for people.

use serde_json::{Value, json};
use wire::pb::audit::v1::{AuditEntry, AuditKind, CallResult};

use super::{
    instant,
    output::{self, Column},
};

/// What a table of entries shows.
pub const COLUMNS: [Column; 8] = [
    ("time", "time"),
    ("what", "kind"),
    ("principal", "principal"),
    ("owner", "owner"),
    ("server", "server"),
    ("target", "tool"),
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

/// The entry as one line.
pub fn line(entry: &AuditEntry) -> String {
    let table = output::table(&[shown(entry)], &COLUMNS);
    table.lines().nth(1).unwrap_or_default().to_owned()
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
    let told = match entry.kind() {
        AuditKind::CallIntent => "allowed".to_owned(),
        AuditKind::CallDenied => format!("{} ({})", entry.reason, entry.rule),
        AuditKind::CallOutcome => entry.result.as_ref().map(told_result).unwrap_or_default(),
        AuditKind::Change => {
            let mut told = format!("{} by {}", entry.subject, entry.actor);
            if !entry.reason.is_empty() {
                told = format!("{told}: {}", entry.reason);
            }
            told
        }
        AuditKind::Refusals => {
            let counts = entry.refusals.iter().map(|counted| format!("{} {}", counted.count, counted.reason));
            counts.collect::<Vec<_>>().join(", ")
        }
        AuditKind::EpochStarted | AuditKind::Unspecified => entry.detail.clone(),
    };
    if entry.archived { told } else { format!("{told} (not yet archived)") }
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

//! Which request asks for what, method by method, and what of it is kept for the record.

//! Requests as they are read: what each revision admits, and what is refused with which reason.

use authority::action::Kind;
use http::HeaderValue;

use super::*;

fn asked(revision: Revision, message: &str) -> Result<Asked, NotUnderstood> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("Application/JSON; charset=utf-8"));
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json;q=0.9, TEXT/event-stream"));
    if revision != Revision::WITHOUT_HEADER {
        headers.insert("mcp-protocol-version", HeaderValue::from_static(revision.as_str()));
    }
    let mirrors = collect(&headers)?;
    let fingerprinter = crate::fixture::keyring().argument_fingerprinter();
    Asked::post(&fingerprinter, &headers, &mirrors, Bytes::copy_from_slice(message.as_bytes()))
}

/// The action of a request with this method and these params.
fn action(method: &str, params: &str) -> Action {
    let message = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
    asked(Revision::V2025_06_18, &message).expect("it is understood").action
}

fn using(kind: Kind, name: &str) -> Action {
    Action::Use { kind, name: name.into() }
}

#[test]
fn c23_every_method_asks_for_what_it_names() {
    for (method, params, asks) in [
        ("tools/call", r#"{"name":"a"}"#, using(Kind::Tool, "a")),
        ("tools/call", r#"{"name":"\u0061"}"#, using(Kind::Tool, "a")),
        ("prompts/get", r#"{"name":"a"}"#, using(Kind::Prompt, "a")),
        ("resources/read", r#"{"uri":"u:a"}"#, using(Kind::Resource, "u:a")),
        ("resources/read", r#"{"uri":"u:{a}"}"#, using(Kind::Resource, "u:{a}")),
        ("resources/subscribe", r#"{"uri":"u:a"}"#, using(Kind::Resource, "u:a")),
        ("resources/unsubscribe", r#"{"uri":"u:a"}"#, using(Kind::Resource, "u:a")),
        ("completion/complete", r#"{"ref":{"type":"ref/prompt","name":"a"}}"#, using(Kind::Prompt, "a")),
        (
            "completion/complete",
            r#"{"ref":{"type":"ref/resource","uri":"u:a"}}"#,
            using(Kind::Resource, "u:a"),
        ),
        (
            "completion/complete",
            r#"{"ref":{"type":"ref/resource","uri":"u:{a}"}}"#,
            using(Kind::ResourceTemplate, "u:{a}"),
        ),
        ("tools/list", "{}", Action::List(Kind::Tool)),
        ("prompts/list", "{}", Action::List(Kind::Prompt)),
        ("resources/list", "{}", Action::List(Kind::Resource)),
        ("resources/templates/list", "{}", Action::List(Kind::ResourceTemplate)),
        ("initialize", "{}", Action::Converse),
        ("ping", "{}", Action::Converse),
        ("server/discover", "{}", Action::Converse),
        ("notifications/cancelled", "{}", Action::Converse),
        ("subscriptions/listen", "{}", Action::Converse),
        (
            "subscriptions/listen",
            r#"{"notifications":{"resourceSubscriptions":["u:a","u:b"]}}"#,
            Action::Each([using(Kind::Resource, "u:a"), using(Kind::Resource, "u:b")].into()),
        ),
        ("Tools/call", r#"{"name":"a"}"#, Action::Unknown),
        ("tools/call ", r#"{"name":"a"}"#, Action::Unknown),
        ("sampling/createMessage", "{}", Action::Unknown),
        ("tasks/get", "{}", Action::Unknown),
    ] {
        assert_eq!(action(method, params), asks, "{method} {params}");
    }
}

/// C05: a name is compared as it is, and no normal form of it is made.
#[test]
fn c05_names_that_only_look_alike_stay_different() {
    let names = ["caf\u{e9}", "cafe\u{301}", "re\u{430}d", "read\u{200b}", "READ", "read"];
    for (at, name) in names.iter().enumerate() {
        let asks = action("tools/call", &format!(r#"{{"name":"{name}"}}"#));
        for (other_at, other) in names.iter().enumerate() {
            assert_eq!(asks == using(Kind::Tool, other), at == other_at, "{name} {other}");
        }
    }
}

#[test]
fn c07_a_notification_asks_for_what_the_request_of_its_name_asks() {
    let call =
        asked(Revision::V2025_06_18, r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a"}}"#);
    let call = call.expect("it is understood");
    assert_eq!(call.action, using(Kind::Tool, "a"));
    assert_eq!(call.parts[0].kind, PartKind::Notification);
}

#[test]
fn c06_a_batch_asks_for_each_of_its_messages_flat() {
    let batch = r#"[
        {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}},
        {"jsonrpc":"2.0","method":"notifications/initialized"},
        {"jsonrpc":"2.0","id":2,"method":"subscriptions/listen","params":{"notifications":{"resourceSubscriptions":["u:a"]}}},
        {"jsonrpc":"2.0","id":9,"result":{}}
    ]"#;
    let asked = asked(Revision::V2025_03_26, batch).expect("the revision has batches");
    let each = [using(Kind::Tool, "a"), Action::Converse, using(Kind::Resource, "u:a"), Action::Converse];
    assert_eq!(asked.action, Action::Each(each.into()));
    assert!(asked.is_batch && asked.single().is_none());
    assert_eq!(asked.ids().count(), 2);
}

/// A batch of one is still an array, and its answer has to be one.
#[test]
fn a_batch_of_one_is_a_batch() {
    let asked = asked(Revision::V2025_03_26, r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#);
    assert!(asked.is_ok_and(|asked| asked.is_batch && asked.single().is_none()));
}

#[test]
fn what_the_record_keeps_is_read_from_the_message() {
    let asked = asked(
        Revision::V2025_06_18,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":1,"y":"secret"},
            "_meta":{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}}"#,
    )
    .expect("it is understood");
    let part = asked.single().expect("one message");
    assert_eq!(part.argument_keys, ["x", "y"]);
    assert!(part.arguments_digest.is_some());
    assert_eq!(part.trace.as_deref(), Some("0af7651916cd43dd8448eb211c80319c"));
    assert!(!format!("{part:?}").contains("secret"));
}

#[test]
fn a_trace_parent_that_is_none_leaves_no_trace() {
    for wrong in ["", "00", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", "00-short-b7ad-01"] {
        assert_eq!(trace_id(wrong), None, "{wrong}");
    }
    assert_eq!(trace_id(&format!("00-{}-b7ad6b7169203331-01", "0".repeat(32))), None);
}

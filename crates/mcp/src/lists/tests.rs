//! What of a list answer reaches the client.

use proptest::prelude::*;

use super::{Filtered, ListFault, ListKind, filter, make_private};
use crate::limits::Limits;
use crate::revision::Era;

/// Filters so that only texts that begin with `a` stay.
fn only_a(body: &str, kind: ListKind, era: Era) -> Result<Filtered<'_>, ListFault> {
    filter(body.as_bytes(), kind, era, Limits::RESPONSE, |_, text| text.starts_with('a'))
}

fn check(kind: ListKind, era: Era, result: &str, expected: &str) {
    let wrap = |result: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#);
    let body = wrap(result);
    let filtered = only_a(&body, kind, era).unwrap();
    assert_eq!(std::str::from_utf8(&filtered.body).unwrap(), wrap(expected));
}

#[test]
fn forbidden_entries_are_left_out_and_all_else_is_as_it_was() {
    check(
        ListKind::Tools,
        Era::Legacy,
        r#"{ "tools":[ {"name":"a1","inputSchema":{"x": 1e400}} , {"name":"b"}, {"name":"a2"},  {"title":"t","name":"a3"} ], "nextCursor" : "" }"#,
        r#"{ "tools":[{"name":"a1","inputSchema":{"x": 1e400}},{"name":"a2"},  {"title":"t","name":"a3"}], "nextCursor" : "" }"#,
    );
    check(
        ListKind::Prompts,
        Era::Legacy,
        r#"{"prompts":[{"name":"b"},{"name":"b"}],"x":9007199254740993}"#,
        r#"{"prompts":[],"x":9007199254740993}"#,
    );
    check(
        ListKind::Resources,
        Era::Legacy,
        r#"{"resources":[{"uri":"a://1","name":"b"},{"uri":"b://2","name":"a"}]}"#,
        r#"{"resources":[{"uri":"a://1","name":"b"}]}"#,
    );
    check(
        ListKind::ResourceTemplates,
        Era::Legacy,
        r#"{"resourceTemplates":[{"uriTemplate":"b://{x}"},{"uriTemplate":"a://{x}"}]}"#,
        r#"{"resourceTemplates":[{"uriTemplate":"a://{x}"}]}"#,
    );
    check(
        ListKind::Completions,
        Era::Modern,
        r#"{"completion":{"values":["a","b","\u0061c"],"total":3,"hasMore":false}}"#,
        r#"{"completion":{"values":["a","\u0061c"],"total":3,"hasMore":false}}"#,
    );
}

#[test]
fn nothing_is_copied_when_nothing_changes() {
    let body = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[ {"name":"a"} ]}}"#;
    let filtered = only_a(body, ListKind::Tools, Era::Legacy).unwrap();
    assert!(matches!(filtered.body, std::borrow::Cow::Borrowed(_)));
    assert_eq!((filtered.kept, filtered.hidden, filtered.unreadable), (1, 0, 0));
}

/// D27: an answer that was made for one grant is never cacheable for another.
#[test]
fn d27_cache_scope_becomes_private() {
    let tools = ListKind::Tools;
    check(
        tools,
        Era::Modern,
        r#"{"cacheScope":"public","tools":[]}"#,
        r#"{"cacheScope":"private","tools":[]}"#,
    );
    check(
        tools,
        Era::Modern,
        r#"{"tools":[],"cacheScope": null }"#,
        r#"{"tools":[],"cacheScope": "private" }"#,
    );
    check(
        tools,
        Era::Modern,
        r#"{"tools":[],"ttlMs":5}"#,
        r#"{"tools":[],"ttlMs":5,"cacheScope":"private"}"#,
    );
    check(tools, Era::Legacy, r#"{"tools":[]}"#, r#"{"tools":[]}"#);
    check(
        tools,
        Era::Legacy,
        r#"{"tools":[],"cacheScope":"public"}"#,
        r#"{"tools":[],"cacheScope":"private"}"#,
    );

    let private = |body: &str| {
        String::from_utf8(make_private(body.as_bytes(), Era::Modern, Limits::RESPONSE).unwrap().into_owned())
            .unwrap()
    };
    assert_eq!(private(r#"{"id":1,"result":{}}"#), r#"{"id":1,"result":{"cacheScope":"private"}}"#);
    assert_eq!(
        private(r#"{"id":1,"result":{"cacheScope":"public","capabilities":{}}}"#),
        r#"{"id":1,"result":{"cacheScope":"private","capabilities":{}}}"#
    );
    assert_eq!(private(r#"{"id":1,"error":{}}"#), r#"{"id":1,"error":{}}"#);
}

#[test]
fn entries_that_cannot_be_read_are_left_out() {
    let entries = [
        r#"{"name":"a","name":"b"}"#,
        r#"{"name":"b","name":"a"}"#,
        r#"{"name":"a","Name":"b"}"#,
        r#"{"Name":"a"}"#,
        r#"{"name":"a","n\u0061me":"b"}"#,
        r#"{"name":"a","nam\u00e9":1,"name\ud800":1}"#,
        r#"{"name":"a\ud800"}"#,
        r#"{"name":5}"#,
        r#"{"title":"a"}"#,
        r#""a""#,
        "null",
        "[]",
    ];
    let body = format!(r#"{{"id":1,"result":{{"tools":[{},{{"name":"a"}}]}}}}"#, entries.join(","));
    let filtered = only_a(&body, ListKind::Tools, Era::Legacy).unwrap();
    assert_eq!(&*filtered.body, br#"{"id":1,"result":{"tools":[{"name":"a"}]}}"#);
    assert_eq!((filtered.kept, filtered.hidden, filtered.unreadable), (1, 0, entries.len()));
}

#[test]
fn an_answer_that_is_no_list_is_not_passed_on() {
    for body in [
        r#"{"id":1,"result":{}}"#,
        r#"{"id":1,"result":{"tools":{"name":"b"}}}"#,
        r#"{"id":1,"result":{"prompts":[]}}"#,
        r#"{"id":1}"#,
        r#"{"id":1,"result":{"tools":[]},"error":{}}"#,
        r#"{"id":1,"result":{"tools":[]},"result":{"tools":[{"name":"b"}]}}"#,
        r#"{"id":1,"result":{"tools":[],"tools":[{"name":"b"}]}}"#,
        r#"{"id":1,"result":{"tools":[],"Tools":[{"name":"b"}]}}"#,
        r#"{"id":1,"result":{"Tools":[{"name":"b"}]}}"#,
        r#"{"id":1,"result":{"tools":[]}}{"id":1,"result":{"tools":[{"name":"b"}]}}"#,
        r#"{"id":1,"result":[]}"#,
        r#"[{"id":1,"result":{"tools":[{"name":"b"}]}}]"#,
        r#"{"id":1,"result":{"tools":[{"name":"a"}"#,
    ] {
        assert!(only_a(body, ListKind::Tools, Era::Legacy).is_err(), "{body}");
    }
    let error = r#"{"id":1,"error":{"code":-32601,"message":"no tools"}}"#;
    assert_eq!(&*only_a(error, ListKind::Tools, Era::Modern).unwrap().body, error.as_bytes());
}

proptest! {
    /// Exactly the allowed entries stay, in their order, and each as it was.
    #[test]
    fn filtering_keeps_exactly_what_is_allowed(names in prop::collection::vec("[ab\"é\\\\]{0,3}", 0..20), gap in "[ \n]{0,2}") {
        let entries: Vec<serde_json::Value> =
            names.iter().map(|name| serde_json::json!({"name": name, "inputSchema": {"type": "object"}})).collect();
        let printed: Vec<String> = entries.iter().map(ToString::to_string).collect();
        let body = format!(r#"{{"id":1,"result":{{"tools":[{gap}{}{gap}],"nextCursor":"c"}}}}"#, printed.join(&format!("{gap},{gap}")));
        let filtered = only_a(&body, ListKind::Tools, Era::Legacy).unwrap();
        let result: serde_json::Value = serde_json::from_slice(&filtered.body).unwrap();
        let allowed: Vec<_> = entries.into_iter().filter(|entry| entry["name"].as_str().unwrap().starts_with('a')).collect();
        prop_assert_eq!(filtered.kept, allowed.len());
        prop_assert_eq!(&result["result"]["tools"], &serde_json::Value::Array(allowed));
        prop_assert_eq!(&result["result"]["nextCursor"], "c");
    }
}

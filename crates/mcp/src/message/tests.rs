//! What bodies read as: the accepted shapes first, then every attack of FAULTS part C with the reason it meets.

use std::fmt::Write;

use super::{Message, Outcome, read, read_answer};
use crate::limits::{Limits, MAX_BATCH, MAX_DEPTH, MAX_KEYS, MAX_REQUEST_BYTES};
use crate::method::Call;

/// A body's reading in one line, or the reason and the byte of its refusal.
fn reading(body: impl AsRef<[u8]>) -> String {
    match read(body.as_ref(), Limits::REQUEST) {
        Ok(message) => shown(&message),
        Err(refusal) => format!("{} at {}", refusal.reason.code(), refusal.at),
    }
}

fn shown(message: &Message<'_>) -> String {
    match message {
        Message::Request(request) => format!("request {} {}", request.id, called(&request.call)),
        Message::Notification(call) => format!("notification {}", called(call)),
        Message::Response(response) => {
            let (kind, raw) = match response.outcome {
                Outcome::Result(raw) => ("result", raw),
                Outcome::Error(raw) => ("error", raw),
            };
            let id = response.id.as_ref().map_or("none".to_owned(), ToString::to_string);
            format!("response {id} {kind} {}", String::from_utf8_lossy(raw))
        }
        Message::Batch(messages) => {
            let shown: Vec<String> = messages.iter().map(shown).collect();
            format!("batch [{}]", shown.join("; "))
        }
    }
}

fn called(call: &Call<'_>) -> String {
    let mut line = call.method.to_string();
    match call.target() {
        Ok(target) => write!(line, " -> {target:?}").unwrap(),
        Err(missing) => write!(line, " -> {missing}").unwrap(),
    }
    let Some(params) = &call.params else { return line };
    if let Some(arguments) = &params.arguments {
        write!(line, " args {} keys {:?}", String::from_utf8_lossy(arguments.raw), arguments.keys).unwrap();
    }
    let meta = &params.meta;
    for (what, said) in [
        ("cursor", params.cursor.as_deref()),
        ("offers", params.protocol_version.as_deref()),
        ("revision", meta.protocol_version.as_deref()),
        ("trace", meta.traceparent.as_deref()),
    ] {
        if let Some(said) = said {
            write!(line, " {what} {said:?}").unwrap();
        }
    }
    if let Some(info) = params.client_info.as_ref().or(meta.client_info.as_ref()) {
        write!(line, " client {:?} {:?}", info.name.as_deref(), info.version.as_deref()).unwrap();
    }
    line
}

fn check(table: &[(&str, &str)]) {
    for (body, expected) in table {
        assert_eq!(reading(body), *expected, "\nbody: {body}");
    }
}

/// A `tools/call` around these params.
fn call(params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#)
}

#[test]
fn each_kind_of_message_is_told_apart() {
    check(&[
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"hi","n":[1,2]}}}"#,
            r#"request 1 tools/call -> Tool("echo") args {"text":"hi","n":[1,2]} keys ["text", "n"]"#,
        ),
        (
            r#" { "method" : "ping" , "id" : "a-1" , "jsonrpc" : "2.0" } "#,
            r#"request "a-1" ping -> Protocol"#,
        ),
        (
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"user"}}"#,
            "notification notifications/cancelled -> Protocol",
        ),
        (r#"{"jsonrpc":"2.0","id":3,"result":{"roots":[]}}"#, r#"response 3 result {"roots":[]}"#),
        (
            r#"{"jsonrpc":"2.0","id":3,"error":{"code":-1,"message":"no"}}"#,
            r#"response 3 error {"code":-1,"message":"no"}"#,
        ),
        (
            r#"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"notifications/initialized"}]"#,
            "batch [request 1 ping -> Protocol; notification notifications/initialized -> Protocol]",
        ),
    ]);
}

#[test]
fn the_members_that_decisions_need_are_found() {
    check(&[
        (
            r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"codex","version":"0.1","title":"Codex"}}}"#,
            r#"request 0 initialize -> Protocol offers "2025-06-18" client Some("codex") Some("0.1")"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"cc","version":"2"},"traceparent":"00-1-2-01"}}}"#,
            r#"request 1 tools/list -> List(Tools) cursor "" revision "2026-07-28" trace "00-1-2-01" client Some("cc") Some("2")"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///a%20b"}}"#,
            r#"request 1 resources/read -> Resource("file:///a%20b")"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"p","arguments":null}}"#,
            r#"request 1 prompts/get -> Prompt("p")"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/resource","uri":"db://{t}"},"argument":{"name":"t","value":"us"}}}"#,
            r#"request 1 completion/complete -> Resource("db://{t}")"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"t","value":""}}}"#,
            r#"request 1 completion/complete -> Prompt("p")"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true,"resourceSubscriptions":["a:1","a:2"]}}}"#,
            r#"request 1 subscriptions/listen -> Resources(["a:1", "a:2"])"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#,
            "request 1 tools/call -> `params.name` is missing",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/tool","name":"x"}}}"#,
            "request 1 completion/complete -> `params.ref.type` is missing",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage"}"#,
            "request 1 sampling/createMessage -> Unknown",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"Tools/Call","params":null}"#,
            "request 1 Tools/Call -> Unknown",
        ),
    ]);
}

/// C01: a key twice, in both orders, at any depth, in small and large objects.
#[test]
fn c01_duplicate_keys_are_refused_at_any_depth() {
    check(&[
        (&call(r#"{"name":"allowed","name":"denied"}"#), "duplicate_key at 73"),
        (&call(r#"{"name":"denied","name":"allowed"}"#), "duplicate_key at 72"),
        (&call(r#"{"name":"a","name":"a"}"#), "duplicate_key at 67"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}"#, "duplicate_key at 40"),
        (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#, "duplicate_key at 24"),
        (&call(r#"{"name":"t","arguments":{"a":1},"arguments":{"a":2}}"#), "duplicate_key at 87"),
        (&call(r#"{"name":"t","arguments":{"a":[{"b":{"c":1,"c":2}}]}}"#), "duplicate_key at 97"),
        (
            r#"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"id":3,"method":"ping"}]"#,
            "duplicate_key at 66",
        ),
    ]);
}

/// C02: a key of the protocol in another case, alone or beside the real one.
#[test]
fn c02_case_variants_of_protocol_keys_are_refused() {
    check(&[
        (&call(r#"{"Name":"denied"}"#), "lookalike_key at 56"),
        (&call(r#"{"name":"allowed","Name":"denied"}"#), "folded_duplicate_key at 73"),
        (&call(r#"{"name":"t","Arguments":{}}"#), "lookalike_key at 67"),
        (r#"{"jsonrpc":"2.0","id":1,"METHOD":"tools/call"}"#, "unknown_member at 33"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","METHOD":"tools/call"}"#, "unknown_member at 49"),
        (&call(r#"{"name":"t","_META":{}}"#), "lookalike_key at 67"),
        (
            &call(r#"{"name":"t","_meta":{"IO.ModelContextProtocol/protocolVersion":"x"}}"#),
            "lookalike_key at 76",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","NAME":"p"}}}"#,
            "lookalike_key at 92",
        ),
    ]);
}

/// C03: keys that Unicode folds into a key of the protocol (U+017F is a long s, U+212A the Kelvin sign).
#[test]
fn c03_unicode_variants_of_protocol_keys_are_refused() {
    check(&[
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"param\u{17f}\":{}}", "unknown_member at 50"),
        (&call("{\"name\":\"t\",\"tas\u{212a}\":{}}"), "lookalike_key at 67"),
        (&call("{\"name\":\"t\",\"argument\u{17f}\":{}}"), "lookalike_key at 67"),
        (&call("{\"name\":\"t\",\"argument\\u017f\":{}}"), "lookalike_key at 67"),
        (&call("{\"\u{ff4e}ame\":\"t\"}"), "lookalike_key at 56"),
        (&call("{\"name\":\"t\",\"arguments\":{\"k\":1,\"\u{212a}\":2}}"), "folded_duplicate_key at 86"),
    ]);
}

/// C04: a key is compared as it reads, not as it is spelled.
#[test]
fn c04_an_escaped_key_is_the_same_key() {
    check(&[
        (&call(r#"{"name":"a","n\u0061me":"b"}"#), "duplicate_key at 67"),
        (&call(r#"{"n\u0061me":"b","name":"a"}"#), "duplicate_key at 72"),
        (&call(r#"{"n\u0061me":"b"}"#), r#"request 1 tools/call -> Tool("b")"#),
        (&call(r#"{"name":"t","arguments":{"\u0061":1,"a":2}}"#), "duplicate_key at 91"),
    ]);
}

/// C05: names are what was sent, byte for byte after unescaping: no trimming, folding or normalisation.
#[test]
fn c05_tool_names_are_exact() {
    check(&[
        (&call("{\"name\":\" Read\u{200b} \"}"), "request 1 tools/call -> Tool(\" Read\\u{200b} \")"),
        (&call("{\"name\":\"caf\u{e9}\"}"), "request 1 tools/call -> Tool(\"caf\u{e9}\")"),
        (&call("{\"name\":\"cafe\u{301}\"}"), "request 1 tools/call -> Tool(\"cafe\\u{301}\")"),
        (&call("{\"name\":\"re\u{430}d\"}"), "request 1 tools/call -> Tool(\"re\u{430}d\")"),
    ]);
}

/// C06: each element of a batch is a message of its own and faces every rule.
#[test]
fn c06_a_batch_is_read_element_by_element() {
    let one = call(r#"{"name":"allowed"}"#);
    let two = call(r#"{"name":"denied"}"#).replace("\"id\":1", "\"id\":2");
    check(&[
        (
            &format!("[{one},{two}]"),
            r#"batch [request 1 tools/call -> Tool("allowed"); request 2 tools/call -> Tool("denied")]"#,
        ),
        (&format!("[{one},{one}]"), "duplicate_id at 76"),
        (&format!("[{one},[{two}]]"), "wrong_type at 76"),
        (&format!("[{one},1]"), "wrong_type at 76"),
        (&format!("[{one},]"), "unexpected_byte at 76"),
        ("[]", "empty_batch at 0"),
    ]);
    let ping = r#"{"jsonrpc":"2.0","method":"notifications/progress"}"#;
    let batch = |count| format!("[{}]", vec![ping; count].join(","));
    assert!(reading(batch(MAX_BATCH)).starts_with("batch"));
    assert!(reading(batch(MAX_BATCH + 1)).starts_with("batch_too_long"));
}

/// C07: a call without an id names its tool like any other, so that it is decided like any other.
#[test]
fn c07_a_notification_of_a_call_shows_what_it_calls() {
    check(&[
        (
            r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"delete","arguments":{"x":1}}}"#,
            r#"notification tools/call -> Tool("delete") args {"x":1} keys ["x"]"#,
        ),
        (
            r#"{"jsonrpc":"2.0","method":"resources/read","params":{"uri":"file:///etc/passwd"}}"#,
            r#"notification resources/read -> Resource("file:///etc/passwd")"#,
        ),
    ]);
}

/// C08: ids that two libraries could take for one, or for none.
#[test]
fn c08_ids_are_strings_or_plain_integers() {
    let with_id = |id: &str| reading(format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#));
    for (id, expected) in [
        ("1", "request 1 ping -> Protocol"),
        ("\"1\"", "request \"1\" ping -> Protocol"),
        ("-9007199254740992", "request -9007199254740992 ping -> Protocol"),
        ("\"\"", "request \"\" ping -> Protocol"),
        ("null", "bad_id at 22"),
        ("1.0", "bad_id at 22"),
        ("1e0", "bad_id at 22"),
        ("1.5", "bad_id at 22"),
        ("-0", "negative_zero at 22"),
        ("9007199254740993", "ambiguous_number at 22"),
        ("18014398509481984", "bad_id at 22"),
        ("1e400", "ambiguous_number at 22"),
        ("true", "bad_id at 22"),
        ("[1]", "bad_id at 22"),
        ("{}", "bad_id at 22"),
        ("01", "unexpected_byte at 23"),
    ] {
        assert_eq!(with_id(id), expected, "{id}");
    }
    assert_eq!(with_id(&format!("\"{}\"", "x".repeat(257))), "too_long at 23");
    let crossed = r#"{"jsonrpc":"2.0","id":null,"result":{}}"#;
    assert_eq!(reading(crossed), "bad_id at 22", "a client cannot answer nobody's question");
}

/// C11: what is meant to exhaust a parser is refused at a bound, after work in proportion to the bound.
#[test]
fn c11_floods_are_refused_at_their_bound() {
    let nested =
        |depth: usize| call(&format!(r#"{{"name":"t","x":{}1{}}}"#, "[".repeat(depth), "]".repeat(depth)));
    assert!(reading(nested(MAX_DEPTH - 2)).starts_with("request"));
    assert!(reading(nested(MAX_DEPTH - 1)).starts_with("too_deep"));
    assert!(reading(nested(100_000)).starts_with("too_deep"));
    assert!(reading("[".repeat(100_000)).starts_with("wrong_type"));
    let objects = call(&format!(r#"{{"x":{}"#, r#"{"a":"#.repeat(100_000)));
    assert!(reading(objects).starts_with("too_deep"));

    let keys = |count: usize| {
        let keys: Vec<String> = (0..count).map(|key| format!("\"{key:x}\":0")).collect();
        call(&format!(r#"{{"name":"t","arguments":{{{}}}}}"#, keys.join(",")))
    };
    assert!(reading(keys(MAX_KEYS - 6)).starts_with("request"));
    assert!(reading(keys(MAX_KEYS)).starts_with("too_many_keys"));
    let wide = Limits { bytes: usize::MAX, ..Limits::REQUEST };
    let million = keys(1_000_000);
    assert_eq!(read(million.as_bytes(), wide).unwrap_err().reason.code(), "too_many_keys");

    let large = call(&format!(r#"{{"name":"t","x":"{}"}}"#, "a".repeat(50_000_000)));
    assert_eq!(reading(large), format!("too_large at {MAX_REQUEST_BYTES}"));
    let long_number = call(&format!(r#"{{"name":"t","x":{}}}"#, "1".repeat(4_000_000)));
    assert_eq!(reading(long_number), "number_too_long at 71");
    let folded: Vec<String> = (0..20_000).map(|key| format!("\"ключ номер {key}\":0")).collect();
    let folded = call(&format!(r#"{{"name":"t","arguments":{{{}}}}}"#, folded.join(",")));
    assert!(reading(folded).starts_with("keys_too_long"));
}

/// C12: bodies that parsers repair, cut short or read beyond their end.
#[test]
fn c12_bodies_that_are_not_exactly_one_json_text_are_refused() {
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    check(&[
        ("", "unexpected_end at 0"),
        ("  ", "unexpected_end at 2"),
        (&format!("\u{feff}{ping}"), "byte_order_mark at 0"),
        (&format!("{ping}{ping}"), "trailing_bytes at 40"),
        (&format!("{ping}\0"), "trailing_bytes at 40"),
        (&format!("{ping} \r\n\t"), "request 1 ping -> Protocol"),
        (&format!("{ping}//"), "trailing_bytes at 40"),
        (&format!("\u{a0}{ping}"), "unexpected_byte at 0"),
        (&ping[..39], "unexpected_end at 39"),
        (&call(r#"{"name":"a\u0000b"}"#), "nul at 65"),
        (&call("{\"name\":\"a\0b\"}"), "control_character at 65"),
        (&call(r#"{"name":"\ud800"}"#), "lone_surrogate at 64"),
        (&call(r#"{"name":"t","arguments":{"x":["\udfff"]}}"#), "lone_surrogate at 86"),
        (&call(r#"{"name":"t","arguments":{"\ud800":1}}"#), "lone_surrogate at 81"),
        (&call(r#"{"name":"t","x":NaN}"#), "unexpected_byte at 71"),
        (&call(r#"{"name":"t","x":Infinity}"#), "unexpected_byte at 71"),
        (&call(r#"{"name":"t","x":nul}"#), "unexpected_byte at 74"),
        (&call(r#"{"name":"t","x":'a'}"#), "unexpected_byte at 71"),
        (&call(r#"{"name":"t",}"#), "unexpected_byte at 67"),
        (&call(r#"{"name":"t" "x":1}"#), "unexpected_byte at 67"),
        (&call(r#"{name:"t"}"#), "unexpected_byte at 56"),
        (&call(r#"{"name":"t","x":[1,]}"#), "unexpected_byte at 74"),
        (&call(r#"{"name":"t","x":/**/1}"#), "unexpected_byte at 71"),
    ]);
    let invalid = [ping.as_bytes(), b" \xff"].concat();
    assert_eq!(reading(invalid), "not_utf8 at 41");
    let overlong = call("{\"name\":\"?\"}").into_bytes();
    let overlong: Vec<u8> =
        overlong.iter().flat_map(|b| if *b == b'?' { vec![0xc0, 0xae] } else { vec![*b] }).collect();
    assert_eq!(reading(overlong), "not_utf8 at 64");
}

/// C13: the value that policy compares is the value that is forwarded, or there is none.
#[test]
fn c13_numbers_without_one_reading_are_refused_wherever_they_stand() {
    let with = |number: &str| reading(call(&format!(r#"{{"name":"t","arguments":{{"x":[{number}]}}}}"#)));
    assert!(with("42.0").contains(r#"args {"x":[42.0]}"#), "accepted numbers keep their spelling");
    for number in ["9007199254740993", "1e400", "-1e400", "18446744073709551616", "0.1234567890123456789"] {
        assert_eq!(with(number), "ambiguous_number at 85", "{number}");
    }
    assert_eq!(with("-0"), "negative_zero at 85");
}

#[test]
fn a_message_is_a_request_or_a_response_and_nothing_more() {
    check(&[
        ("1", "wrong_type at 0"),
        ("null", "wrong_type at 0"),
        ("{}", "not_json_rpc at 0"),
        (r#"{"id":1,"method":"ping"}"#, "not_json_rpc at 0"),
        (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, "not_json_rpc at 11"),
        (r#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#, "wrong_type at 11"),
        (r#"{"jsonrpc":"2.0","id":1}"#, "neither_request_nor_response at 0"),
        (r#"{"jsonrpc":"2.0","result":{}}"#, "missing_member at 0"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#, "neither_request_nor_response at 0"),
        (r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#, "neither_request_nor_response at 0"),
        (r#"{"jsonrpc":"2.0","id":1,"result":{},"params":{}}"#, "neither_request_nor_response at 0"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","extra":1}"#, "unknown_member at 48"),
        (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, "wrong_type at 33"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}"#, "wrong_type at 49"),
        (&call(r#"{"name":5}"#), "wrong_type at 63"),
        (&call(r#"{"name":null}"#), "wrong_type at 63"),
        (&call(r#"{"name":"t","arguments":[]}"#), "wrong_type at 79"),
        (&call(r#"{"name":"t","_meta":1}"#), "wrong_type at 75"),
        (&call(r#"{"name":"t","arguments":{"$serde_json::private::Number":"1"}}"#), "forbidden_key at 80"),
    ]);
    assert!(reading(call(&format!(r#"{{"name":"{}"}}"#, "x".repeat(1025)))).starts_with("too_long"));
}

#[test]
fn keys_of_a_tool_are_the_tools_own_business() {
    let free = call(r#"{"name":"t","arguments":{"Name":"x","METHOD":"y","ID":1,"inner":{"URI":"z"}}}"#);
    assert!(reading(free).starts_with("request 1 tools/call"));
}

#[test]
fn an_answer_is_read_with_less_suspicion() {
    let answer = r#"{"jsonrpc":"2.0","id":1,"result":{"big":9007199254740993,"half":"\ud83d","twice":1,"twice":2},"x":0}"#;
    let Message::Response(response) = read_answer(answer.as_bytes(), Limits::RESPONSE).unwrap() else {
        panic!("it is a response");
    };
    assert!(matches!(response.outcome, Outcome::Result(raw) if raw.starts_with(b"{\"big\"")));
    let unread = br#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}}"#;
    assert!(
        matches!(read_answer(unread, Limits::RESPONSE), Ok(Message::Response(answer)) if answer.id.is_none())
    );
    for wrong in [
        &br#"{"jsonrpc":"2.0","id":1,"id":2,"result":{}}"#[..],
        br#"{"jsonrpc":"2.0","id":1,"Result":{},"result":{}}"#,
        br#"{"jsonrpc":"2.0","id":null,"result":{}}"#,
        br#"{"jsonrpc":"2.0","id":1,"result":{]}"#,
    ] {
        assert!(read_answer(wrong, Limits::RESPONSE).is_err(), "{}", String::from_utf8_lossy(wrong));
    }
}

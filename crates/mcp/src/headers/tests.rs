//! Which headers go with which body, and what is made for the upstream.

use super::{HeaderFault, RequestHeaders, mirror};
use crate::limits::{Limits, MAX_HEADER_VALUE_BYTES, MAX_PARAM_HEADERS};
use crate::message::{self, Message};
use crate::revision::Revision;

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

/// Headers as `name: value` separated by `|`.
fn lines(headers: &str) -> Vec<(&str, &[u8])> {
    let pair =
        |line: &'_ str| line.split_once(':').map(|(name, value)| (name.trim().len(), value.trim().len()));
    headers
        .split('|')
        .filter(|line| pair(line).is_some())
        .map(|line| line.split_once(':').unwrap())
        .map(|(name, value)| (name.trim(), value.trim().as_bytes()))
        .collect()
}

/// `ok`, or the fault as it is told to the client.
fn verdict(headers: &str, body: &str) -> String {
    judge(headers, body).map_or_else(|fault| fault.to_string(), |()| "ok".to_owned())
}

fn judge(headers: &str, body: &str) -> Result<(), HeaderFault> {
    let found = RequestHeaders::collect(lines(headers))?;
    let revision = found.revision()?;
    found.agree_with(&message::read(body.as_bytes(), Limits::REQUEST).unwrap(), revision)
}

fn modern(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}{META}}}}}"#)
}

#[test]
fn c09_modern_mirrors_must_tell_what_the_body_tells() {
    let call = modern("tools/call", r#""name":"echo","arguments":{},"#);
    let read = modern("resources/read", r#""uri":"file:///ä","#);
    let list = modern("tools/list", "");
    let v = "MCP-Protocol-Version: 2026-07-28";
    for (headers, body, expected) in [
        (format!("{v}|Mcp-Method: tools/call|Mcp-Name: echo"), &call, "ok"),
        (format!("{v}|mcp-method: tools/call|MCP-NAME: echo"), &call, "ok"),
        (format!("{v}|Mcp-Method: tools/call|Mcp-Name: =?base64?ZWNobw==?="), &call, "ok"),
        (format!("{v}|Mcp-Method: resources/read|Mcp-Name: =?base64?ZmlsZTovLy/DpA==?="), &read, "ok"),
        (format!("{v}|Mcp-Method: tools/list"), &list, "ok"),
        (format!("{v}|Mcp-Name: echo"), &call, "header mcp-method is missing"),
        (format!("{v}|Mcp-Method: tools/call"), &call, "header mcp-name is missing"),
        (
            format!("{v}|Mcp-Method: Tools/Call|Mcp-Name: echo"),
            &call,
            "header mcp-method does not match the body",
        ),
        (
            format!("{v}|Mcp-Method: tools/list|Mcp-Name: echo"),
            &call,
            "header mcp-method does not match the body",
        ),
        (
            format!("{v}|Mcp-Method: tools/call|Mcp-Name: Echo"),
            &call,
            "header mcp-name does not match the body",
        ),
        (
            format!("{v}|Mcp-Method: tools/call|Mcp-Name: =?base64?RWNobw==?="),
            &call,
            "header mcp-name does not match the body",
        ),
        (
            format!("{v}|Mcp-Method: tools/call|Mcp-Name: =?base64?!?="),
            &call,
            "header mcp-name is neither visible ASCII nor valid =?base64?…?=",
        ),
        (
            format!("{v}|Mcp-Method: tools/call|Mcp-Name: echo|Mcp-Name: echo"),
            &call,
            "header mcp-name is there twice, send it once",
        ),
        (
            format!("{v}|Mcp-Method: tools/call|mcp-method: tools/list|Mcp-Name: echo"),
            &call,
            "header mcp-method is there twice, send it once",
        ),
        (
            format!("{v}|{v}|Mcp-Method: tools/list"),
            &list,
            "header mcp-protocol-version is there twice, send it once",
        ),
        (
            format!("{v}|Mcp-Method: tools/list|Mcp-Name: echo"),
            &list,
            "header mcp-name does not match the body",
        ),
        (
            format!("{v}|Mcp-Method: resources/read|Mcp-Name: file:///ä"),
            &read,
            "header mcp-name is neither visible ASCII nor valid =?base64?…?=",
        ),
    ] {
        assert_eq!(verdict(&headers, body), expected, "\n{headers}\n{body}");
    }
    let long = format!("{v}|Mcp-Name: {}", "x".repeat(MAX_HEADER_VALUE_BYTES + 1));
    assert_eq!(verdict(&long, &call), "header mcp-name is longer than 8192 bytes");
}

/// C09, E37: the revision in the header and the one in the body are one, whichever is the older.
#[test]
fn c09_e37_header_and_meta_name_the_same_revision() {
    let list = modern("tools/list", "");
    let plain = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let capabilities = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":null}}}"#;
    let told = r#"{"jsonrpc":"2.0","method":"notifications/progress"}"#;
    for (headers, body, expected) in [
        ("Mcp-Method: tools/list", &*list, "header mcp-protocol-version is missing"),
        (
            "MCP-Protocol-Version: 2025-06-18|Mcp-Method: tools/list",
            &list,
            "header mcp-protocol-version does not match the body",
        ),
        (
            "MCP-Protocol-Version: 2026-07-28|Mcp-Method: tools/list",
            plain,
            "`params._meta` must hold io.modelcontextprotocol/protocolVersion",
        ),
        (
            "MCP-Protocol-Version: 2026-07-28|Mcp-Method: tools/list",
            capabilities,
            "`params._meta` must hold io.modelcontextprotocol/clientCapabilities",
        ),
        ("MCP-Protocol-Version: 2026-07-28", told, "ok"),
        (
            "MCP-Protocol-Version: 2026-07-28|Mcp-Method: ping",
            told,
            "header mcp-method does not match the body",
        ),
        ("", plain, "ok"),
        ("MCP-Protocol-Version: 2025-11-25", plain, "ok"),
        (
            "MCP-Protocol-Version: 2025-11-25|Mcp-Method: tools/call",
            plain,
            "header mcp-method does not match the body",
        ),
        (
            "MCP-Protocol-Version: 2031-01-01",
            plain,
            "protocol revision \"2031-01-01\" is not supported, use one of 2026-07-28, 2025-11-25, 2025-06-18, 2025-03-26",
        ),
    ] {
        assert_eq!(verdict(headers, body), expected, "\n{headers}\n{body}");
    }
}

/// C10: a mirrored argument must be an argument; which one, the schema knows.
#[test]
fn c10_a_mirrored_argument_must_be_among_the_arguments() {
    let arguments =
        r#"{"region":"us-west1","n":42.0,"deep":{"flag":true,"list":["hidden"]},"none":null,"big":1e21}"#;
    let call = modern("tools/call", &format!(r#""name":"t","arguments":{arguments},"#));
    let with = |params: &str| {
        verdict(
            &format!("MCP-Protocol-Version: 2026-07-28|Mcp-Method: tools/call|Mcp-Name: t|{params}"),
            &call,
        )
    };
    for fine in [
        "Mcp-Param-Region: us-west1",
        "Mcp-Param-Region: =?base64?dXMtd2VzdDE=?=",
        "Mcp-Param-N: 42",
        "Mcp-Param-N: 42.0",
        "Mcp-Param-N: 4.2e1",
        "Mcp-Param-Big: 1e+21",
        "Mcp-Param-Flag: true",
        "Mcp-Param-A: 42|Mcp-Param-B: true|Mcp-Param-C: us-west1",
    ] {
        assert_eq!(with(fine), "ok", "{fine}");
    }
    for lie in ["Mcp-Param-X: 43", "Mcp-Param-X: us-west2", "Mcp-Param-X: US-WEST1", "Mcp-Param-X: false"] {
        assert_eq!(with(lie), "header mcp-param-x does not match the body", "{lie}");
    }
    assert_eq!(
        with("Mcp-Param-X: hidden"),
        "header mcp-param-x does not match the body",
        "arrays are not mirrored"
    );
    assert_eq!(
        with("Mcp-Param-X: null"),
        "header mcp-param-x does not match the body",
        "null is not mirrored"
    );
    assert_eq!(with("Mcp-Param-N: 42|mcp-param-n: 42"), "header mcp-param-n is there twice, send it once");
    assert_eq!(with("Mcp-Param-: 42"), "header mcp-param- is neither visible ASCII nor valid =?base64?…?=");
    let many: Vec<String> = (0..=MAX_PARAM_HEADERS).map(|n| format!("Mcp-Param-{n}: 42")).collect();
    assert_eq!(with(&many.join("|")), "there are more than 16 mcp-param headers");
}

#[test]
fn c09_the_upstreams_mirrors_are_made_from_the_body() {
    let made = |body: &str, revision: Revision| {
        let message = message::read(body.as_bytes(), Limits::REQUEST).unwrap();
        let Message::Request(request) = &message else { panic!("it is a request") };
        let lines: Vec<String> = mirror::of_call(&request.call, revision)
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        lines.join("|")
    };
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":" tööl"}}"#;
    let read = r#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"a:b c"}}"#;
    let initialize = r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#;
    assert_eq!(
        made(call, Revision::V2026_07_28),
        "mcp-protocol-version: 2026-07-28|mcp-method: tools/call|mcp-name: =?base64?IHTDtsO2bA==?="
    );
    assert_eq!(
        made(read, Revision::V2026_07_28),
        "mcp-protocol-version: 2026-07-28|mcp-method: resources/read|mcp-name: a:b c"
    );
    assert_eq!(made(call, Revision::V2025_11_25), "mcp-protocol-version: 2025-11-25");
    assert_eq!(made(call, Revision::V2025_03_26), "");
    assert_eq!(made(initialize, Revision::V2025_11_25), "");
}

//! What the gateway's own answers look like on the wire, one by one.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::{
    batch, denied, denied_tool_call, error, header_fault, method_not_found, unreadable, write_string,
};
use crate::headers::HeaderFault;
use crate::id::Id;
use crate::limits::{Limits, MAX_REPLY_TEXT_BYTES};
use crate::message;
use crate::revision::{Era, UnsupportedRevision};

fn check(reply: &[u8], expected: &Expect) {
    let _: serde_json::Value = serde_json::from_slice(reply).expect("every reply is JSON");
    expected.assert_eq(std::str::from_utf8(reply).unwrap());
}

#[test]
fn a_denied_tool_call_is_a_result_that_a_model_reads() {
    let why = "tool \"delete\" is not in the grant (scope 1)\nask its owner";
    check(
        &denied_tool_call(&Id::Number(7), why, Era::Legacy),
        &expect![[
            r#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"[denied] tool \"delete\" is not in the grant (scope 1)\nask its owner"}],"isError":true}}"#
        ]],
    );
    check(
        &denied_tool_call(&Id::String("a\"b".into()), "no", Era::Modern),
        &expect![[
            r#"{"jsonrpc":"2.0","id":"a\"b","result":{"resultType":"complete","content":[{"type":"text","text":"[denied] no"}],"isError":true}}"#
        ]],
    );
}

#[test]
fn everything_else_is_refused_with_an_error() {
    check(
        &denied(&Id::Number(1), "prompt p is not in the grant"),
        &expect![[
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-31001,"message":"[denied] prompt p is not in the grant"}}"#
        ]],
    );
    check(
        &method_not_found(Some(&Id::Number(1)), "server/discover"),
        &expect![[
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"method not found: server/discover"}}"#
        ]],
    );
}

#[test]
fn a_refused_body_is_told_where_and_why() {
    let refusal = message::read(br#"{"jsonrpc":"2.0","id":1,"id":2}"#, Limits::REQUEST).unwrap_err();
    check(
        &unreadable(&refusal),
        &expect![[
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"an object has the same key twice (byte 24)","data":{"reason":"duplicate_key","byte":24}}}"#
        ]],
    );
    let refusal = message::read(b"{]", Limits::REQUEST).unwrap_err();
    check(
        &unreadable(&refusal),
        &expect![[
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"this byte cannot stand here in JSON (byte 1)","data":{"reason":"unexpected_byte","byte":1}}}"#
        ]],
    );
}

#[test]
fn c09_header_faults_have_the_codes_of_the_specification() {
    let id = Id::Number(1);
    check(
        &header_fault(Some(&id), &HeaderFault::Mismatch { name: "mcp-name".into() }),
        &expect![[
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header mcp-name does not match the body"}}"#
        ]],
    );
    check(
        &header_fault(Some(&id), &HeaderFault::MetaMissing { member: "x" }),
        &expect![[
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"`params._meta` must hold x"}}"#
        ]],
    );
    check(
        &header_fault(Some(&id), &UnsupportedRevision::new(b"2099-01-01").into()),
        &expect![[
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32022,"message":"protocol revision \"2099-01-01\" is not supported, use one of 2026-07-28, 2025-11-25, 2025-06-18, 2025-03-26","data":{"supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26"],"requested":"2099-01-01"}}}"#
        ]],
    );
}

#[test]
fn the_answer_to_a_batch_is_an_array() {
    check(
        &batch(&[error(Some(&Id::Number(1)), -32600, "a"), error(Some(&Id::Number(2)), -32600, "b")]),
        &expect![[
            r#"[{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"a"}},{"jsonrpc":"2.0","id":2,"error":{"code":-32600,"message":"b"}}]"#
        ]],
    );
}

#[test]
fn long_messages_are_cut_between_characters() {
    let reply = error(None, -32600, &"é".repeat(MAX_REPLY_TEXT_BYTES));
    assert!(reply.len() < MAX_REPLY_TEXT_BYTES + 100);
    assert!(std::str::from_utf8(&reply).unwrap().contains("é…\""));
}

proptest! {
    #[test]
    fn every_text_is_escaped_so_that_it_reads_back(text in any::<String>()) {
        let mut json = Vec::new();
        write_string(&mut json, &text);
        prop_assert_eq!(serde_json::from_slice::<String>(&json).unwrap(), text);
    }
}

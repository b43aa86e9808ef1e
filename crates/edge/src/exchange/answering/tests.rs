//! Answers and events, one by one: which of them answers the request, and what becomes of the rest.

use bytes::Bytes;

use super::*;

const ID: Id<'static> = Id::Number(7);

fn waiting(revision: Revision) -> Answering {
    Answering { open: vec![ID], revision, limits: limits(1024), foreign: 0, unfit: 0 }
}

fn passed(body: &'static str) -> Option<Bytes> {
    whole(&ID, Bytes::from_static(body.as_bytes()), limits(1024))
}

#[test]
fn d06_only_the_response_to_the_request_is_its_answer() {
    let own = r#"{"result":{"id":1},"jsonrpc":"2.0","id":7}"#;
    assert_eq!(passed(own).as_deref(), Some(own.as_bytes()));
    for body in [
        r#"{"jsonrpc":"2.0","id":"7","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":8,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":7,"Id":8,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{},"error":{}}"#,
        r#"[{"jsonrpc":"2.0","id":7,"result":{}}]"#,
        r#"{"id":7,"result":{}}"#,
        "",
    ] {
        assert_eq!(passed(body), None, "{body}");
    }
}

#[test]
fn an_error_of_an_upstream_that_could_not_read_the_id_answers_the_request() {
    let answer = passed(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"m"}}"#);
    let own = br#"{"jsonrpc":"2.0","id":7,"error":{"code":-32700,"message":"m"}}"#;
    assert_eq!(answer.as_deref(), Some(&own[..]));
}

#[test]
fn d06_a_response_passes_once_and_a_spoilt_batch_answers_nothing() {
    let own = br#"{"jsonrpc":"2.0","id":7,"result":{}}"#;
    let mut answering = waiting(Revision::V2025_03_26);
    let spoilt = br#"[{"jsonrpc":"2.0","id":7,"result":{}},{"jsonrpc":"2.0","id":8,"result":{}}]"#;
    assert!(!answering.passes(spoilt));
    assert!(answering.was_missed());
    assert!(answering.passes(own) && !answering.passes(own));
    assert_eq!((answering.was_missed(), answering.left_out()), (false, (2, 0)));
    assert!(!answering.is_over(), "an older server ends its stream itself");
}

#[test]
fn d06_the_modern_era_has_no_requests_of_servers_and_ends_with_the_response() {
    let mut answering = waiting(Revision::V2026_07_28);
    assert!(!answering.passes(br#"{"jsonrpc":"2.0","id":1,"method":"roots/list"}"#));
    assert!(answering.passes(br#"{"jsonrpc":"2.0","method":"notifications/progress"}"#));
    assert!(answering.passes(b" ") && !answering.is_over());
    assert!(answering.passes(br#"{"jsonrpc":"2.0","id":7,"result":{}}"#) && answering.is_over());
}

//! Properties of strict reading over generated calls: what an ordinary client prints is accepted and read back, and
//! what is accepted means the same to `serde_json`.

use mcp::fuzzing::jsonrpc_strict;
use mcp::limits::Limits;
use mcp::message::{self, Message};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Values as clients send them: no number without one reading, no NUL, keys that do not fold together.
fn arguments() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-(1_i64 << 53)..=1 << 53).prop_map(Value::from),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
        "[^\\x00]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,8}", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn what_a_client_prints_is_read_back(
        name in "[^\\x00]{1,40}",
        id in prop_oneof![(-(1_i64 << 53)..=1 << 53).prop_map(Value::from), "[^\\x00]{0,20}".prop_map(Value::from)],
        members in prop::collection::btree_map("[a-z]{1,8}", arguments(), 0..12),
    ) {
        let arguments = Value::Object(members.into_iter().collect());
        let body = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": name, "arguments": arguments}});
        let body = serde_json::to_vec(&body).unwrap();
        let message = message::read(&body, Limits::REQUEST).unwrap();
        prop_assert!(jsonrpc_strict(&body));
        let Message::Request(request) = &message else { panic!("it is a request") };
        let params = request.call.params.as_ref().unwrap();
        prop_assert_eq!(params.name.as_deref(), Some(name.as_str()));
        let raw = params.arguments.as_ref().unwrap().raw;
        prop_assert_eq!(serde_json::from_slice::<Value>(raw).unwrap(), arguments);
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_never_read_twice(body in prop::collection::vec(any::<u8>(), 0..200)) {
        jsonrpc_strict(&body);
    }

    #[test]
    fn a_prefix_of_a_call_is_never_a_call(cut in 0_usize..60) {
        let body = br#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":[1]}}"#;
        prop_assert_eq!(message::read(&body[..cut.min(body.len())], Limits::REQUEST).is_ok(), cut >= body.len());
    }
}

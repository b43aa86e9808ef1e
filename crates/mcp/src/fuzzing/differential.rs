//! What the strict reader accepts, an exact decoder and a loose one must read the same way.

use serde_json::Value;

use super::folding::Loose;
use crate::limits::Limits;
use crate::message::{self, Message, Outcome};
use crate::method::Call;
use crate::params::Params;

/// Reads `body` strictly. If it is accepted, `serde_json` and a case-folding decoder must find the same method, name,
/// URI and arguments in it.
///
/// # Panics
/// When two readings differ.
pub fn jsonrpc_strict(body: &[u8]) -> bool {
    let Ok(message) = message::read(body, Limits::REQUEST) else { return false };
    let exact: Value = serde_json::from_slice(body).expect("what is accepted is JSON to serde_json");
    if let Message::Batch(messages) = &message {
        let exact = exact.as_array().expect("a batch is an array");
        assert_eq!(exact.len(), messages.len());
        for (message, exact) in messages.iter().zip(exact) {
            let alone = serde_json::to_vec(exact).expect("a value prints");
            same_message(message, exact, &loose(&alone));
        }
    } else {
        same_message(&message, &exact, &loose(body));
    }
    true
}

fn loose(body: &[u8]) -> Loose {
    serde_json::from_slice(body).expect("what one decoder reads the other reads")
}

fn same_message(message: &Message<'_>, exact: &Value, loose: &Loose) {
    if let Some(id) = message.request_id() {
        let mut printed = Vec::new();
        id.write_json(&mut printed);
        let id: Value = serde_json::from_slice(&printed).expect("an id is JSON");
        assert_eq!(Some(&id), exact.get("id"));
    }
    match message {
        Message::Request(request) => same_call(&request.call, exact, loose),
        Message::Notification(call) => same_call(call, exact, loose),
        Message::Response(response) => {
            let (raw, member) = match response.outcome {
                Outcome::Result(raw) => (raw, "result"),
                Outcome::Error(raw) => (raw, "error"),
            };
            same_value(raw, exact.get(member));
            assert!(exact.get("method").is_none() && loose.get("method").is_none());
        }
        Message::Batch(_) => panic!("a batch never lies in a batch"),
    }
}

fn same_call(call: &Call<'_>, exact: &Value, loose: &Loose) {
    same_text(Some(&call.method), exact.get("method"), loose.get("method"));
    assert!(loose.get("result").is_none() && loose.get("error").is_none());
    let none = Value::Null;
    let exact = exact.get("params").unwrap_or(&none);
    match (&call.params, loose.get("params")) {
        (Some(params), Some(loose)) => same_params(params, exact, loose),
        (None, _) => assert!(exact.is_null()),
        (Some(_), None) => panic!("the loose decoder lost `params`"),
    }
}

fn same_params(params: &Params<'_>, exact: &Value, loose: &Loose) {
    same_value(params.raw, Some(exact));
    same_text(params.name.as_deref(), exact.get("name"), loose.get("name"));
    same_text(params.uri.as_deref(), exact.get("uri"), loose.get("uri"));
    same_text(params.cursor.as_deref(), exact.get("cursor"), loose.get("cursor"));
    if let Some(reference) = &params.reference {
        let none = Loose::Other;
        let (exact, loose) = (&exact["ref"], loose.get("ref").unwrap_or(&none));
        same_text(reference.name.as_deref(), exact.get("name"), loose.get("name"));
        same_text(reference.uri.as_deref(), exact.get("uri"), loose.get("uri"));
        same_text(reference.kind.as_deref(), exact.get("type"), loose.get("type"));
    }
    let version = params.meta.protocol_version.as_deref();
    let key = crate::params::META_PROTOCOL_VERSION;
    let none = Loose::Other;
    let loose_meta = loose.get("_meta").unwrap_or(&none);
    same_text(version, exact.get("_meta").and_then(|meta| meta.get(key)), loose_meta.get(key));
    if let Some(arguments) = &params.arguments {
        same_value(arguments.raw, exact.get("arguments"));
        let exact = exact["arguments"].as_object().expect("arguments are an object");
        assert_eq!(exact.len(), arguments.keys.len(), "no key of the arguments is lost");
        assert!(arguments.keys.iter().all(|key| exact.contains_key(&**key)));
        let loose = loose.get("arguments").expect("the loose decoder sees arguments");
        assert_eq!(loose.len(), Some(exact.len()));
    }
}

fn same_text(ours: Option<&str>, exact: Option<&Value>, loose: Option<&Loose>) {
    assert_eq!(ours, exact.and_then(Value::as_str), "the exact decoder reads another text");
    assert_eq!(ours, loose.and_then(Loose::text), "the loose decoder reads another text");
}

fn same_value(raw: &[u8], exact: Option<&Value>) {
    let ours: Value = serde_json::from_slice(raw).expect("a slice of a body is JSON by itself");
    assert_eq!(Some(&ours), exact, "the forwarded bytes hold another value");
}

//! The tools of the demo server, the same in both eras.

use serde_json::{Value, json};

/// What a call of a tool leads to.
pub enum Called {
    /// A result at once.
    Result(Value),
    /// Progress up to this count, and then a result.
    Count(u64),
    /// A question to the person at the client, and then a result.
    AskName,
    /// There is no such tool.
    Unknown,
}

/// The highest `count` goes, so that one call is short.
const MAX_COUNT: u64 = 20;

/// The list of tools.
pub fn list() -> Value {
    let text = json!({"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]});
    let numbers = json!({
        "type": "object",
        "properties": {"a": {"type": "number"}, "b": {"type": "number"}},
        "required": ["a", "b"]
    });
    let to = json!({"type": "object", "properties": {"to": {"type": "integer", "minimum": 1, "maximum": MAX_COUNT}}});
    let nothing = json!({"type": "object", "properties": {}});
    json!([
        {"name": "echo", "description": "Says the text again.", "inputSchema": text,
         "annotations": {"readOnlyHint": true}},
        {"name": "add", "description": "Adds two numbers.", "inputSchema": numbers,
         "annotations": {"readOnlyHint": true}},
        {"name": "count", "description": "Counts, and reports progress.", "inputSchema": to,
         "annotations": {"readOnlyHint": true}},
        {"name": "ask_name", "description": "Asks the person at the client for a name.", "inputSchema": nothing},
        {"name": super::HIDDEN_TOOL, "description": "Pretends to delete everything.", "inputSchema": nothing,
         "annotations": {"destructiveHint": true}},
    ])
}

/// Begins a call.
pub fn call(params: &Value) -> Called {
    let arguments = &params["arguments"];
    match params["name"].as_str().unwrap_or_default() {
        "echo" => Called::Result(text(arguments["text"].as_str().unwrap_or_default())),
        "add" => {
            let sum =
                arguments["a"].as_f64().unwrap_or_default() + arguments["b"].as_f64().unwrap_or_default();
            Called::Result(text(&sum.to_string()))
        }
        "count" => Called::Count(arguments["to"].as_u64().unwrap_or(3).clamp(1, MAX_COUNT)),
        "ask_name" => Called::AskName,
        super::HIDDEN_TOOL => Called::Result(text("everything would be gone now")),
        _ => Called::Unknown,
    }
}

/// A result of one text.
pub fn text(text: &str) -> Value {
    json!({"content": [{"type": "text", "text": text}]})
}

/// What `ask_name` asks, as an elicitation.
pub fn name_question() -> Value {
    json!({
        "message": "What is your name?",
        "requestedSchema": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    })
}

/// What `ask_name` says to the answer of an elicitation.
pub fn greeting(answer: &Value) -> Value {
    match (answer["action"].as_str(), answer["content"]["name"].as_str()) {
        (Some("accept"), Some(name)) => text(&format!("hello, {name}")),
        _ => text("hello, whoever you are"),
    }
}

/// The progress of `count`, if the caller gave a token for it.
pub fn progress(params: &Value, done: u64, total: u64) -> Option<Value> {
    let token = params["_meta"].get("progressToken")?;
    Some(json!({
        "jsonrpc": "2.0",
        "method": "notifications/progress",
        "params": {"progressToken": token, "progress": done, "total": total}
    }))
}

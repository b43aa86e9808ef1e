//! The demo server in the eras with sessions (2025-03-26 to 2025-11-25).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use http::{HeaderValue, Response, StatusCode};
use seams::{Entropy, SystemEntropy};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::{
    answer::{Body, empty, event_stream, json_error, json_result},
    tools::{self, Called},
};

const REVISIONS: [&str; 3] = ["2025-03-26", "2025-06-18", "2025-11-25"];

/// The most sessions kept; a newer one drops the lot, which a demo may.
const MAX_SESSIONS: usize = 1_000;

/// The sessions and what each waits for.
#[derive(Default)]
pub struct Sessions {
    open: Mutex<HashMap<String, Arc<Session>>>,
}

#[derive(Default)]
struct Session {
    /// Answers the server waits for, by the id of its request.
    awaited: Mutex<HashMap<String, oneshot::Sender<Value>>>,
    /// The open GET streams, kept so that they end with the session.
    streams: Mutex<Vec<mpsc::Sender<Value>>>,
}

impl Sessions {
    /// A POST: one message.
    pub fn post(&self, session: Option<&str>, message: &Value) -> Response<Body> {
        let id = &message["id"];
        let method = message["method"].as_str();
        if method == Some("initialize") {
            return self.initialize(id, &message["params"]);
        }
        if method == Some("server/discover") {
            return json_error(StatusCode::BAD_REQUEST, id, -32_601, "this revision has no server/discover");
        }
        let session = match self.find(session) {
            Ok(session) => session,
            Err(status) => return json_error(status, id, -32_000, "no such session"),
        };
        match method {
            None => session.take_answer(message),
            Some(_) if id.is_null() => empty(StatusCode::ACCEPTED),
            Some("ping") => json_result(id, &json!({})),
            Some("tools/list") => json_result(id, &json!({"tools": tools::list()})),
            Some("tools/call") => call(&session, id, &message["params"]),
            Some(_) => json_error(StatusCode::OK, id, -32_601, "the demo server knows only tools"),
        }
    }

    /// A GET: a stream that lasts until one side ends it.
    pub fn stream(&self, session: Option<&str>) -> Response<Body> {
        match self.find(session) {
            Ok(session) => {
                let (sender, response) = event_stream();
                lock(&session.streams).push(sender);
                response
            }
            Err(status) => empty(status),
        }
    }

    /// A DELETE: the session ends.
    pub fn end(&self, session: Option<&str>) -> Response<Body> {
        match session.and_then(|id| lock(&self.open).remove(id)) {
            Some(_) => empty(StatusCode::NO_CONTENT),
            None => empty(StatusCode::NOT_FOUND),
        }
    }

    fn initialize(&self, id: &Value, params: &Value) -> Response<Body> {
        let asked = params["protocolVersion"].as_str().unwrap_or_default();
        let revision = REVISIONS.into_iter().find(|known| *known == asked).unwrap_or(REVISIONS[2]);
        let mut response = json_result(
            id,
            &json!({
                "protocolVersion": revision,
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "portcullis-demo", "version": env!("CARGO_PKG_VERSION")}
            }),
        );
        let mut random = [0u8; 16];
        SystemEntropy.fill(&mut random);
        let session: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let value = HeaderValue::from_str(&session).expect("hexadecimal digits are a header value");
        response.headers_mut().insert("mcp-session-id", value);
        let mut open = lock(&self.open);
        if open.len() >= MAX_SESSIONS {
            open.clear();
        }
        open.insert(session, Arc::default());
        response
    }

    fn find(&self, session: Option<&str>) -> Result<Arc<Session>, StatusCode> {
        let id = session.ok_or(StatusCode::BAD_REQUEST)?;
        lock(&self.open).get(id).cloned().ok_or(StatusCode::NOT_FOUND)
    }
}

impl Session {
    /// A client's answer to a request of the server.
    fn take_answer(&self, message: &Value) -> Response<Body> {
        let waiting = message["id"].as_str().and_then(|id| lock(&self.awaited).remove(id));
        if let Some(waiting) = waiting {
            // The call that asked may have gone meanwhile; then nobody needs the answer.
            drop(waiting.send(message["result"].clone()));
        }
        empty(StatusCode::ACCEPTED)
    }
}

fn call(session: &Arc<Session>, id: &Value, params: &Value) -> Response<Body> {
    match tools::call(params) {
        Called::Result(result) => json_result(id, &result),
        Called::Unknown => json_error(StatusCode::OK, id, -32_602, "no such tool"),
        Called::Count(to) => {
            let (stream, response) = event_stream();
            let (id, params) = (id.clone(), params.clone());
            tokio::spawn(async move { count(&stream, &id, &params, to).await });
            response
        }
        Called::AskName => {
            let (stream, response) = event_stream();
            let (session, id) = (Arc::clone(session), id.clone());
            tokio::spawn(async move { ask_name(&session, &stream, &id).await });
            response
        }
    }
}

/// Counts up. A client that went away ends it.
async fn count(stream: &mpsc::Sender<Value>, id: &Value, params: &Value, to: u64) -> Option<()> {
    for done in 1..=to {
        if let Some(progress) = tools::progress(params, done, to) {
            stream.send(progress).await.ok()?;
        }
    }
    stream.send(result(id, &tools::text(&format!("counted to {to}")))).await.ok()
}

/// Asks the client on the stream of the call, and answers when the client has. A client that went away ends it.
async fn ask_name(session: &Session, stream: &mpsc::Sender<Value>, id: &Value) -> Option<()> {
    let question = format!("ask-{}", lock(&session.awaited).len());
    let (answered, answer) = oneshot::channel();
    lock(&session.awaited).insert(question.clone(), answered);
    let request = json!({
        "jsonrpc": "2.0", "id": question, "method": "elicitation/create", "params": tools::name_question()
    });
    stream.send(request).await.ok()?;
    let answer = tokio::select! {
        answer = answer => answer.ok()?,
        () = stream.closed() => return None,
    };
    stream.send(result(id, &tools::greeting(&answer))).await.ok()
}

fn result(id: &Value, result: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "result": result})
}

/// A panic under the lock leaves the map whole, so a poisoned lock is taken all the same.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

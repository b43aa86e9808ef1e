//! The HTTP answers of the demo server.

use bytes::Bytes;
use http::{Response, StatusCode, header};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_stream::{StreamExt, wrappers::ReceiverStream};

/// The body of every answer.
pub type Body = BoxBody<Bytes, std::convert::Infallible>;

/// How many messages a stream holds before its writer waits.
const STREAM_QUEUE: usize = 16;

/// An answer without a body.
pub fn empty(status: StatusCode) -> Response<Body> {
    respond(status, None, Bytes::new())
}

/// A JSON-RPC result.
pub fn json_result(id: &Value, result: &Value) -> Response<Body> {
    let message = json!({"jsonrpc": "2.0", "id": id, "result": result});
    respond(StatusCode::OK, Some("application/json"), message.to_string().into())
}

/// A JSON-RPC error under an HTTP status.
pub fn json_error(status: StatusCode, id: &Value, code: i64, message: &str) -> Response<Body> {
    let message = json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}});
    respond(status, Some("application/json"), message.to_string().into())
}

/// A stream of server-sent events: one JSON-RPC message each.
pub fn event_stream() -> (mpsc::Sender<Value>, Response<Body>) {
    let (sender, receiver) = mpsc::channel::<Value>(STREAM_QUEUE);
    let opening = tokio_stream::once(Bytes::from_static(b": open\n\n"));
    let events = ReceiverStream::new(receiver).map(|message| Bytes::from(format!("data: {message}\n\n")));
    let frames = opening.chain(events).map(|bytes| Ok(Frame::data(bytes)));
    let mut response = Response::new(BodyExt::boxed(StreamBody::new(frames)));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/event-stream"));
    (sender, response)
}

fn respond(status: StatusCode, content_type: Option<&'static str>, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Full::new(body).boxed());
    *response.status_mut() = status;
    if let Some(content_type) = content_type {
        response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    }
    response
}

//! What can be configured about upstream servers, with the defaults and why they are what they are.
//!
//! Plain values: `portcullis` reads the file and fills them in. What must stay true: a default opens nothing, and no
//! wait or buffer is without a bound.

use std::time::Duration;

use crate::private_network::PrivateNetwork;

/// Resolving one name: resolvers try for 5 s a server, and a call should fail over to a message before its caller does.
const RESOLVE: Duration = Duration::from_secs(5);

/// Connecting, shared among the addresses that are tried: a lost SYN is sent again after 1 s and after 3 s.
const CONNECT: Duration = Duration::from_secs(9);

/// The TLS handshake: two round trips, and a busy server's signature.
const TLS: Duration = Duration::from_secs(7);

/// From the request to the head of the answer. Tools that answer in JSON work all this time; official clients give
/// up after 60 s unless told otherwise.
const HEAD: Duration = Duration::from_secs(120);

/// From the first byte of that head to its last: it fits a few packets, and no work is done between them. Who drips it
/// holds a connection on purpose.
const HEAD_REST: Duration = Duration::from_secs(15);

/// Between two pieces of a body that is not a stream: such a body is finished when its head comes.
const BODY_IDLE: Duration = Duration::from_secs(30);

/// A body that is not a stream, in all: the largest at some 2 Mbit/s. Who drips on holds a connection on purpose.
const BODY: Duration = Duration::from_secs(300);

/// How long one stream may last. Clients open a new one and lose nothing.
const STREAM_AGE: Duration = Duration::from_secs(24 * 3600);

/// How long a connection waits for its next call. Node's and uvicorn's servers close after 5 s; ending first keeps
/// calls from being written into a closing connection.
const IDLE_CONNECTION: Duration = Duration::from_secs(4);

/// Bytes of the head of an answer: room for a few large cookies, which are dropped. The number of fields is bounded
/// by hyper, at 100.
const HEAD_BYTES: usize = 64 * 1024;

/// Bytes of a body that is not a stream: several large images in base64.
const BODY_BYTES: u64 = 64 * 1024 * 1024;

/// Bytes of one stream over its whole life.
const STREAM_BYTES: u64 = 1024 * 1024 * 1024;

/// Bytes of one event: as much as a request may have, since it carries one message.
const EVENT_BYTES: u64 = 4 * 1024 * 1024;

/// Events of one stream over its whole life: ten a second for a day.
const EVENTS: u64 = 1_000_000;

/// Events in one second: ten times what a fast model emits in tokens.
const EVENTS_PER_SECOND: u64 = 2_000;

/// Idle connections of one server, secret and principal: as many calls as one agent has at once, and some more.
const IDLE_PER_KEY: usize = 32;

/// Idle connections in all: a quarter of the usual limit of open files.
const IDLE_TOTAL: usize = 256;

/// The configuration of [`crate::Upstreams`].
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// What may be reached beside the public internet; nothing by default.
    pub private_networks: Vec<PrivateNetwork>,
    /// Certificate authorities, as PEM, that are trusted beside the public ones; none by default.
    pub extra_roots_pem: Vec<u8>,
    /// How long anything may take.
    pub timeouts: Timeouts,
    /// How much there may be of anything.
    pub bounds: Bounds,
}

/// How long anything may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Resolving one name.
    pub resolve: Duration,
    /// Connecting, all addresses together.
    pub connect: Duration,
    /// The TLS handshake.
    pub tls: Duration,
    /// From the request to the head of the answer.
    pub head: Duration,
    /// From the first byte of the head to its last.
    pub head_rest: Duration,
    /// Between two pieces of a body that is not a stream. Streams may be silent; keeping them alive is the edge's.
    pub body_idle: Duration,
    /// A body that is not a stream, in all.
    pub body: Duration,
    /// How long one stream may last.
    pub stream_age: Duration,
    /// How long a connection waits for its next call.
    pub idle_connection: Duration,
}

/// How much there may be of anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of the head of an answer.
    pub head_bytes: usize,
    /// Bytes of a body that is not a stream.
    pub body_bytes: u64,
    /// Bytes of one stream.
    pub stream_bytes: u64,
    /// Bytes of one event of a stream.
    pub event_bytes: u64,
    /// Events of one stream.
    pub events: u64,
    /// Events of one stream within one second.
    pub events_per_second: u64,
    /// Idle connections of one server, secret and principal.
    pub idle_per_key: usize,
    /// Idle connections in all.
    pub idle_total: usize,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            resolve: RESOLVE,
            connect: CONNECT,
            tls: TLS,
            head: HEAD,
            head_rest: HEAD_REST,
            body_idle: BODY_IDLE,
            body: BODY,
            stream_age: STREAM_AGE,
            idle_connection: IDLE_CONNECTION,
        }
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            head_bytes: HEAD_BYTES,
            body_bytes: BODY_BYTES,
            stream_bytes: STREAM_BYTES,
            event_bytes: EVENT_BYTES,
            events: EVENTS,
            events_per_second: EVENTS_PER_SECOND,
            idle_per_key: IDLE_PER_KEY,
            idle_total: IDLE_TOTAL,
        }
    }
}

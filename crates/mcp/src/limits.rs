//! The bounds of everything this crate reads, in one place, each with the reason for its size.
//!
//! They are the widest values a caller may rely on; a caller with less room passes a smaller [`Limits`]. Bounds on
//! time, rate and the number of connections are not here: they belong to whoever owns the socket.

/// Bytes of one request body: 4 MiB, what the official TypeScript and Python servers accept at most.
pub const MAX_REQUEST_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of one answer that has to be read whole, which is a page of a list: 8 MiB, a hundred times a list of 300 tools.
pub const MAX_RESPONSE_BYTES: usize = 8 * 1024 * 1024;

/// Levels of nesting: half of what the shallowest common parser (serde_json, 128) refuses, and far above real calls.
pub const MAX_DEPTH: usize = 64;

/// Keys in all objects of one body: a table of 6,000 rows by 10 columns fits, a flood of keys does not.
pub const MAX_KEYS: usize = 65_536;

/// Bytes of non-ASCII keys in one body, which cost a Unicode normalisation each: some 10 ms of work at most.
pub const MAX_FOLDED_KEY_BYTES: usize = 256 * 1024;

/// Characters of one number: the longest that any printer of doubles writes is 25, the rest is padding with zeros.
pub const MAX_NUMBER_BYTES: usize = 64;

/// Bytes of a string id: a UUID is 36; ids are kept for as long as their call runs.
pub const MAX_ID_BYTES: usize = 256;

/// Bytes of a method name: the longest of the protocol is 40.
pub const MAX_METHOD_BYTES: usize = 256;

/// Bytes of the name of a tool, a prompt or an argument: the protocol advises 128, names go into every audit record.
pub const MAX_NAME_BYTES: usize = 1024;

/// Bytes of a resource URI: what HTTP servers commonly accept as a request line.
pub const MAX_URI_BYTES: usize = 8192;

/// Bytes of the short texts a client says about itself (revision, client name and version, trace parent).
pub const MAX_LABEL_BYTES: usize = 512;

/// Elements of one batch: each is decided by itself, so one body must not buy an unbounded number of decisions.
pub const MAX_BATCH: usize = 64;

/// Resource URIs in one `subscriptions/listen`: each is decided by itself.
pub const MAX_SUBSCRIPTIONS: usize = 1024;

/// Bytes of one protocol header value: the size above which clients must leave `Mcp-Param-*` out.
pub const MAX_HEADER_VALUE_BYTES: usize = 8192;

/// `Mcp-Param-*` headers on one request: each is compared with the arguments of the call.
pub const MAX_PARAM_HEADERS: usize = 16;

/// Bytes of the message of an error or a denial that this crate writes; longer text is cut with an ellipsis.
pub const MAX_REPLY_TEXT_BYTES: usize = 2048;

/// Bytes of one event of a stream, its field names included: as a request, since it carries one message.
pub const MAX_EVENT_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of one line of a stream: a message is one `data` line, so nearly the whole event.
pub const MAX_LINE_BYTES: usize = MAX_EVENT_BYTES;

/// How much of a body may be read. The numbers are upper bounds, all inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole body.
    pub bytes: usize,
    /// Open objects and arrays at once.
    pub depth: usize,
    /// Keys in all objects together.
    pub keys: usize,
}

impl Limits {
    /// What a client may send.
    pub const REQUEST: Limits = Limits { bytes: MAX_REQUEST_BYTES, depth: MAX_DEPTH, keys: MAX_KEYS };

    /// What an upstream server may answer where the answer must be read: pages of lists, handshakes.
    pub const RESPONSE: Limits = Limits { bytes: MAX_RESPONSE_BYTES, depth: MAX_DEPTH, keys: MAX_KEYS };
}

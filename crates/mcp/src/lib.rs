//! The MCP wire, sans-io: what the bytes of the protocol mean, and nothing about sockets, grants or time.
//!
//! The edge holds bytes that a client sent and must know three things before one of them may go on: what the body
//! says (and that every parser behind us will read the same), which revision of the protocol it speaks, and whether
//! the headers in front of it tell the same story. On the way back it must cut lists down to what a grant may see
//! and pass streams through without breaking their framing. This crate answers those questions from slices and
//! returns slices; the bytes that are forwarded are the bytes that came.
//!
//! What must stay true here:
//!
//! - A body has exactly one reading or is refused ([`strict`], [`message`]). No caller re-parses.
//! - The body is the source of truth; headers are mirrors that are checked and then made anew ([`headers`]).
//! - Nothing is allowed here. The crate reads; `authority` decides; a list filter is handed the decision.
//! - Every size, depth and count has a bound by name ([`limits`]).
//!
//! A reader starts at [`message`], which is the door, and goes down into [`strict`] for why a body is refused.

pub mod headers;
pub mod id;
pub mod limits;
pub mod lists;
pub mod message;
pub mod method;
pub mod params;
pub mod reply;
pub mod revision;
pub mod sse;
pub mod strict;

#[doc(hidden)]
pub mod fuzzing;

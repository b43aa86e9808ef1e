//! The data plane: listener, authentication, enforcement, cutting, sessions, record of each call.
//!
//! An agent's request comes in as bytes that nobody trusts and leaves as a call that one grant allows, to one upstream
//! server, with its intent on disk before the first byte goes out. A reader follows it through the files:
//!
//! ```text
//!  listener    sockets, TLS, hyper, bounds (places) strict_http  one reading of HTTP/1.1 or none
//!  service     the order of the checks              socket       the client's side of a cut
//!  ├ host_origin, route, authenticate, peer, body   who asks, and where
//!  ├ request (media_type, action_of, onward)        what is asked, read strictly
//!  ├ session, slots                                 which session, how much at once
//!  └ call        admit ─► intent ─► exchange ─► outcome, in a task of its own (facts: what the record says)
//!    └ exchange  forward, answer  (relay, stream, filter, upstream_error, bridge, cutoff, broke)
//!  answer, refusal, rescue                          what goes back, also when something fails
//! ```
//!
//! What must stay true:
//!
//! - Nothing is decided here. `authority` decides, through its gate, after the call is registered; whatever fails
//!   before, between or after denies.
//! - No byte goes to an upstream without a recorded permit, which the types of `wal` and `upstream` hold.
//! - A call that is cut, expired or abandoned stops wherever it stands, and its client sees that it did.
//! - Each call has one intent and one outcome, each denial a record, each earlier refusal of a request that
//!   HTTP could read a count.
//! - Requests upstream and answers downstream are generated; only bodies that were read strictly pass as they are.
//! - Everything that can grow has a bound by name: in [`Config`] where an installation may move it.

#[doc(hidden)]
pub mod fuzzing;

mod action_of;
mod answer;
mod authenticate;
mod body;
mod bridge;
mod broke;
mod call;
mod config;
mod cutoff;
mod exchange;
mod facts;
mod filter;
mod host_origin;
mod listener;
mod media_type;
mod onward;
mod peer;
mod places;
mod refusal;
mod relay;
mod request;
mod rescue;
mod route;
mod service;
mod session;
mod slots;
mod socket;
mod stream;
mod strict_http;
mod upstream_error;

#[cfg(test)]
mod fixture;

pub use config::Config;
pub use peer::{Cidr, NotACidr};
pub use service::{Edge, Parts};

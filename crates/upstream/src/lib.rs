//! Upstream servers: credentials attached, hardened dialer, transports. Nothing is sent without a permit.
//!
//! One door, [`Upstreams::forward`], takes the proof of a recorded allow and sends one call:
//!
//! ```text
//!  RecordedPermit ─► credential   open the sealed secret, same origin or nothing
//!                    pool         an idle connection of the same server, secret and principal, or
//!                    dialer       resolve, judge every address, connect to the judged one, TLS
//!                    gated_socket each write: is the call cut? does the lease cover this instant?
//!  Reply ◄────────── response_headers, reply_body   a short list; bounded, cut-aware, redacted
//! ```
//!
//! What must stay true:
//!
//! - No byte goes to a socket but through the gated socket, under the mark of the one call that holds the
//!   connection; a connection between calls writes nothing (promise R2 of the design).
//! - A secret goes to the origin it is bound to, and nothing of a client but the body and a short list of headers goes
//!   anywhere; the upstream's headers come back only from a short list (S1, S2).
//! - Where a connection goes is judged on the address it is made to, each time, never on a name.
//! - No redirect is followed, no proxy is used, nothing is decompressed.
//! - Every body, head, stream, pool and wait has a bound in [`config`].

pub mod address_class;
pub mod address_guard;
pub mod config;
pub mod dialer;
pub mod forward_failed;
pub mod outbound;
pub mod private_network;
pub mod redactor;
pub mod reply;
pub mod reply_body;

#[doc(hidden)]
pub mod fuzzing;

mod call_slot;
mod connection;
mod credential;
mod echo_alert;
mod escaped_secret;
mod forward;
mod gated_socket;
mod pool;
mod request_body;
mod request_headers;
mod response_headers;
mod secret_forms;
mod stream_bounds;
mod tls;
mod transport;
mod until_cut;

pub use config::Config;
pub use connection::ConnectFailed;
pub use credential::AttachRefused;
pub use forward::Upstreams;
pub use forward_failed::{ForwardFailed, Sent};
pub use outbound::{Outbound, OutboundHeaders, ParamHeader, Verb};
pub use reply::{Reply, ReplyKind, Report};
pub use reply_body::{ReplyBody, ReplyBroken};
pub use response_headers::{HeadRefused, MAX_UPSTREAM_SESSION_BYTES};
pub use stream_bounds::StreamRefused;
pub use tls::RootsRefused;

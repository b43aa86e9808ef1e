//! The control plane: one gRPC service a file, operator authentication and roles.
//!
//! ```text
//!   TLS ─► serve ─► guard ─► principals · servers · credentials · grants · operators · cluster · audit · reflection
//!           │        │            │
//!    connection,     │            ├─ parse: a request becomes values that cannot be wrong
//!       places       │            │
//!        authenticate, roles,     │
//!        attempts, refusals       │
//!                                 ├─ control: propose and wait, read linearizably, mint tokens
//!                                 └─ status: every refusal and failure, translated in one place
//! ```
//!
//! It decides nothing about rights itself: a request becomes a command, and the authority accepts or rejects it. What
//! must stay true: no method is reached without an operator's token and a role that may call it; a narrowing is
//! answered only when it is enforced; a token is shown once and a secret never.

mod attempts;
mod audit;
mod authenticate;
mod cluster;
mod connection;
mod control;
mod credentials;
mod enforcement;
mod grants;
mod guard;
mod instants;
mod network;
mod operators;
mod paging;
mod parse;
mod parts;
mod places;
mod principals;
mod refusals;
mod roles;
mod serve;
mod servers;
mod services;
mod status;

pub use parts::{CheckEndpoint, EndpointRefused, Parts, Recording};
pub use serve::{ServeFailed, serve};

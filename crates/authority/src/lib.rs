//! The pure centre of Portcullis: who may call what, how that changes, the decision about one call, and the values
//! of the record.
//!
//! Nothing here reads a clock, draws a random number, waits, logs or touches a file: time and ids arrive as
//! arguments, effects leave as values. Two functions carry the state and one carries the decision:
//!
//! ```text
//!   Command ──► command::decide_command ──► Vec<Event> ──► fold ──► Authority ──► View
//!                                                                                  │
//!   Call ──► enforcement::Gate (register, load the view, decide) ─────────────────►├──► Permit | Denial
//! ```
//!
//! What must stay true: the state is exactly the fold of its events; the same command on the same state gives the
//! same events on every node; a [`Permit`] is made only by an allowing decision about a call that was registered
//! before the view was read; whatever no rule allows is denied with a named reason.

pub mod action;
pub mod archive;
pub mod command;
pub mod credential;
pub mod decision;
pub mod denial;
pub mod enforcement;
pub mod event;
pub mod grant;
pub mod invariant;
pub mod name;
pub mod node;
pub mod operator;
pub mod pattern;
pub mod permit;
pub mod principal;
pub mod record;
pub mod request;
pub mod resource_uri;
pub mod scope;
pub mod server;
pub mod snapshot;
pub mod time;

mod authority;
mod fold;
mod halted;
mod interning;
mod view;

pub use authority::{Authority, Remembered};
pub use denial::{Denial, Reason};
pub use event::{Event, Happened};
pub use fold::fold;
pub use permit::{Permit, RecordedPermit};
pub use view::View;

//! The shared plain values of a node, where the two paths of the gateway touch: the path of a call and the path of a
//! revocation.
//!
//! ```text
//!   a call                              a newly applied entry
//!   ──────                              ─────────────────────
//!   1. register in flight               1. publish the view
//!   2. load the view                    2. cut every registered call it no longer allows
//!   3. decide                           3. wait for the writes those calls had already entered
//!   4. before each write: cut? lease?   4. acknowledge
//! ```
//!
//! Because a call registers before it loads, and an entry publishes before it looks at what is registered, at least
//! one of the two sees the other. Nothing here waits for a peer, a disk or a timer.

mod call_mark;
mod gate;
mod in_flight;
mod lease_cell;

pub use call_mark::{CallMark, Cut, CutReason, Write};
pub use gate::{Admitted, Gate};
pub use in_flight::{Call, InFlight, Registered};
pub use lease_cell::{Lease, LeaseCell};

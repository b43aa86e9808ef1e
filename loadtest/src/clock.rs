//! The monotonic clock, in nanoseconds.
//!
//! This workspace member stands apart from the gateway's clock on purpose: it imports none of its crates. What must stay
//! true: every time that is compared with another comes from here.

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds in a second.
pub const SECOND: u64 = 1_000_000_000;

/// Now, in nanoseconds since some fixed moment.
pub fn now_nanos() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.cast_unsigned() * SECOND + now.tv_nsec.cast_unsigned()
}

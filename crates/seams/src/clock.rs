//! The two clocks a node reads: boot time for leases and deadlines, wall time for people and for expiry.
//!
//! It is not a timer: nothing here waits. Boot time never goes back and counts while the host is suspended; wall time
//! may jump either way, so nothing that must be safe may depend on a difference of two wall readings.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

/// The clock that also counts while the host sleeps. `std::time::Instant` stops during suspend on Linux, so a lease
/// measured with it would outlive its term by the length of the sleep.
#[cfg(not(target_os = "macos"))]
const SUSPEND_AWARE: ClockId = ClockId::Boottime;
/// On macOS `CLOCK_MONOTONIC` is the one that goes on during sleep; there is no `CLOCK_BOOTTIME`.
#[cfg(target_os = "macos")]
const SUSPEND_AWARE: ClockId = ClockId::Monotonic;

const NANOS_PER_SECOND: u64 = 1_000_000_000;
const MILLIS_PER_SECOND: u64 = 1_000;
const NANOS_PER_MILLI: u64 = 1_000_000;

/// A clock shared by the parts of one node.
pub type SharedClock = Arc<dyn Clock>;

/// Reads the host's time.
pub trait Clock: Send + Sync + 'static {
    /// Nanoseconds since an arbitrary point in the past, the same for all readers on this host until it restarts.
    /// Never goes back, and counts while the host is suspended (`CLOCK_BOOTTIME`).
    fn boot_nanos(&self) -> u64;

    /// Milliseconds since the Unix epoch. May jump either way; a host that believes it lives before 1970 reads 0.
    fn wall_millis(&self) -> u64;
}

/// The clocks of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// A clock that moves only when told to; for tests and the simulation.
#[derive(Debug)]
pub struct ManualClock {
    boot_nanos: AtomicU64,
    wall_millis: AtomicU64,
}

impl Clock for SystemClock {
    fn boot_nanos(&self) -> u64 {
        let now = clock_gettime(SUSPEND_AWARE);
        clamped(&now, NANOS_PER_SECOND, 1)
    }

    fn wall_millis(&self) -> u64 {
        let now = clock_gettime(ClockId::Realtime);
        clamped(&now, MILLIS_PER_SECOND, NANOS_PER_MILLI)
    }
}

impl ManualClock {
    /// A clock whose boot time starts at zero and whose wall time starts at `wall_millis` since the Unix epoch.
    pub fn new(wall_millis: u64) -> Self {
        Self { boot_nanos: AtomicU64::new(0), wall_millis: AtomicU64::new(wall_millis) }
    }

    /// Lets time pass: both clocks move forward by `by`, the wall clock in whole milliseconds.
    pub fn advance(&self, by: Duration) {
        let nanos = u64::try_from(by.as_nanos()).expect("a test does not advance by five centuries at once");
        let millis = nanos / NANOS_PER_MILLI;
        self.boot_nanos.fetch_add(nanos, Ordering::SeqCst);
        self.wall_millis.fetch_add(millis, Ordering::SeqCst);
    }

    /// Moves boot time alone, as when the wall clock is held back by a time daemon. A boot clock never goes back, so
    /// a reading below the present one changes nothing.
    pub fn set_boot_nanos(&self, boot_nanos: u64) {
        self.boot_nanos.fetch_max(boot_nanos, Ordering::SeqCst);
    }

    /// Makes the wall clock jump, in either direction.
    pub fn set_wall_millis(&self, wall_millis: u64) {
        self.wall_millis.store(wall_millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn boot_nanos(&self) -> u64 {
        self.boot_nanos.load(Ordering::SeqCst)
    }

    fn wall_millis(&self) -> u64 {
        self.wall_millis.load(Ordering::SeqCst)
    }
}

/// Turns a reading into units of `per_second`, with 0 for anything before the clock's epoch.
fn clamped(reading: &Timespec, per_second: u64, nanos_per_unit: u64) -> u64 {
    let Ok(seconds) = u64::try_from(reading.tv_sec) else { return 0 };
    let nanos =
        u64::try_from(reading.tv_nsec).expect("the kernel returns nanoseconds between 0 and 999,999,999");
    seconds.saturating_mul(per_second).saturating_add(nanos / nanos_per_unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_boot_time_never_goes_back() {
        let mut last = SystemClock.boot_nanos();
        for _ in 0..1_000 {
            let now = SystemClock.boot_nanos();
            assert!(now >= last);
            last = now;
        }
    }

    #[test]
    fn system_wall_time_is_after_the_year_2020() {
        assert!(SystemClock.wall_millis() > 1_577_836_800_000);
    }

    /// A20: a host set back to before 1970 must read as "long ago", never wrap round to the far future.
    #[test]
    fn a20_wall_time_before_1970_reads_as_zero() {
        let before_the_epoch = Timespec { tv_sec: -1, tv_nsec: 999_999_999 };
        assert_eq!(clamped(&before_the_epoch, MILLIS_PER_SECOND, NANOS_PER_MILLI), 0);
    }

    #[test]
    fn readings_are_in_the_promised_units() {
        let reading = Timespec { tv_sec: 3, tv_nsec: 4_500_000 };
        assert_eq!(clamped(&reading, MILLIS_PER_SECOND, NANOS_PER_MILLI), 3_004);
        assert_eq!(clamped(&reading, NANOS_PER_SECOND, 1), 3_004_500_000);
    }

    #[test]
    fn a_reading_too_large_for_the_unit_saturates() {
        let reading = Timespec { tv_sec: i64::MAX, tv_nsec: 0 };
        assert_eq!(clamped(&reading, NANOS_PER_SECOND, 1), u64::MAX);
    }

    #[test]
    fn manual_clock_stands_still_until_advanced() {
        let clock = ManualClock::new(1_000);
        assert_eq!((clock.boot_nanos(), clock.wall_millis()), (0, 1_000));
        clock.advance(Duration::from_millis(250));
        assert_eq!((clock.boot_nanos(), clock.wall_millis()), (250_000_000, 1_250));
    }

    #[test]
    fn manual_wall_clock_jumps_both_ways_and_leaves_boot_time_alone() {
        let clock = ManualClock::new(10_000);
        clock.set_wall_millis(0);
        assert_eq!((clock.boot_nanos(), clock.wall_millis()), (0, 0));
        clock.set_wall_millis(20_000);
        assert_eq!((clock.boot_nanos(), clock.wall_millis()), (0, 20_000));
    }

    #[test]
    fn manual_boot_clock_does_not_go_back() {
        let clock = ManualClock::new(0);
        clock.set_boot_nanos(500);
        clock.set_boot_nanos(100);
        assert_eq!(clock.boot_nanos(), 500);
    }
}

//! The mark of one call in flight: whether it is cut, and how many writes to its upstream socket are being made.
//!
//! A write is entered and the cut is set on one atomic word, so for each write exactly one of two things is true: it
//! was entered before the cut, and then the cutter waits for it to return; or it came after, and then it is refused.
//! A write is a single non-blocking system call, so the wait is short, and no peer can lengthen it.

use std::{
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    task::Waker,
};

use super::Lease;
use crate::time::Boot;

const CUT: u32 = 1 << 31;

/// The most wakers a call keeps: its task, both directions of both sockets, and room for what wraps them.
const MAX_WAKERS: usize = 16;

/// The mark of one call in flight.
#[derive(Debug, Default)]
pub struct CallMark {
    /// The cut bit, and below it the count of writes entered and not yet returned.
    word: AtomicU32,
    late_effect: AtomicBool,
    last_check_nanos: std::sync::atomic::AtomicU64,
    inner: Mutex<Inner>,
    writes_returned: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    reason: Option<CutReason>,
    wakers: Vec<Waker>,
}

/// Why a call was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutReason {
    /// A newer view does not allow it.
    Narrowed(crate::Reason),
    /// The node lost its lease.
    LeaseExpired,
    /// The client went away, in a revision where that cancels.
    ClientGone,
    /// The node is shutting down.
    Draining,
}

/// A write was refused because the call is cut, or no lease covers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the call was cut")]
pub struct Cut;

/// A write that was entered. It returns when this is dropped.
#[derive(Debug)]
pub struct Write<'mark> {
    mark: &'mark CallMark,
}

impl CallMark {
    /// The mark of a call that is not cut.
    pub fn new() -> Self {
        Self::default()
    }

    /// The last check before a write: enters it unless the call is cut or `lease` does not cover `now`.
    pub fn enter_write(&self, lease: Lease, now: Boot) -> Result<Write<'_>, Cut> {
        if !lease.covers(now) {
            return Err(Cut);
        }
        let entered = Write { mark: self };
        if self.word.fetch_add(1, Ordering::SeqCst) & CUT != 0 {
            return Err(Cut);
        }
        self.last_check_nanos.store(now.0, Ordering::Relaxed);
        Ok(entered)
    }

    /// Cuts the call and wakes whoever waits in it. Only the first reason is kept. Answers whether this was the first.
    pub fn cut(&self, reason: CutReason) -> bool {
        let mut inner = self.lock();
        inner.reason.get_or_insert(reason);
        let first = self.word.fetch_or(CUT, Ordering::SeqCst) & CUT == 0;
        let wakers = std::mem::take(&mut inner.wakers);
        drop(inner);
        wakers.into_iter().for_each(Waker::wake);
        first
    }

    /// Ends the call's writing without a reason: whatever drives its socket is refused from here on, and a write that was
    /// entered has returned. For a call that is over; one that was cut keeps its reason.
    pub fn end(&self) {
        self.word.fetch_or(CUT, Ordering::SeqCst);
        self.wait_for_writes();
    }

    /// Waits until the writes that were entered before the cut have returned.
    pub fn wait_for_writes(&self) {
        let mut inner = self.lock();
        while self.word.load(Ordering::SeqCst) & !CUT != 0 {
            inner = self.writes_returned.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Why the call was cut, if it was.
    pub fn cut_reason(&self) -> Option<CutReason> {
        if self.word.load(Ordering::SeqCst) & CUT == 0 {
            return None;
        }
        self.lock().reason
    }

    /// Whether the call was cut; if not, `waker` is woken when it is.
    pub fn poll_cut(&self, waker: &Waker) -> bool {
        let mut inner = self.lock();
        if self.word.load(Ordering::SeqCst) & CUT != 0 {
            return true;
        }
        if !inner.wakers.iter().any(|kept| kept.will_wake(waker)) {
            if inner.wakers.len() == MAX_WAKERS {
                // The oldest belongs to a poll that has long been replaced; waking it is harmless.
                inner.wakers.remove(0).wake();
            }
            inner.wakers.push(waker.clone());
        }
        false
    }

    /// Notes that a write returned after its lease had ended: bytes that were checked in time went out late.
    pub fn note_late_effect(&self) {
        self.late_effect.store(true, Ordering::Relaxed);
    }

    /// Whether a write returned after its lease had ended.
    pub fn had_late_effect(&self) -> bool {
        self.late_effect.load(Ordering::Relaxed)
    }

    /// The boot time of the last check that let a write through; zero before the first.
    pub fn last_check(&self) -> Boot {
        Boot(self.last_check_nanos.load(Ordering::Relaxed))
    }

    /// A panic while the lock is held leaves the values whole, so a poisoned lock is taken all the same.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Write<'_> {
    fn drop(&mut self) {
        let before = self.mark.word.fetch_sub(1, Ordering::SeqCst);
        if before & CUT != 0 && before & !CUT == 1 {
            // Taking the lock orders this notice after the waiter's check.
            drop(self.mark.lock());
            self.mark.writes_returned.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};

    use super::*;

    const LEASE: fn() -> Lease = || Lease::until(Boot(100));

    #[test]
    fn a_write_after_the_cut_is_refused() {
        let mark = CallMark::new();
        mark.cut(CutReason::ClientGone);
        assert_eq!(mark.enter_write(LEASE(), Boot(1)).map(drop), Err(Cut));
        mark.wait_for_writes();
    }

    #[test]
    fn a_write_without_a_lease_is_refused() {
        let mark = CallMark::new();
        assert_eq!(mark.enter_write(Lease::NONE, Boot(1)).map(drop), Err(Cut));
        assert_eq!(mark.enter_write(LEASE(), Boot(100)).map(drop), Err(Cut));
        assert!(mark.enter_write(LEASE(), Boot(99)).is_ok());
    }

    #[test]
    fn the_cutter_waits_for_a_write_that_was_entered_before() {
        let mark = Arc::new(CallMark::new());
        let write = mark.enter_write(LEASE(), Boot(1)).expect("not cut yet");
        let (cut, is_cut) = mpsc::channel();
        let (returned, is_returned) = mpsc::channel();
        let cutter = std::thread::spawn({
            let mark = Arc::clone(&mark);
            move || {
                mark.cut(CutReason::LeaseExpired);
                cut.send(()).expect("the test waits");
                mark.wait_for_writes();
                returned.send(()).expect("the test waits");
            }
        });
        is_cut.recv().expect("the cutter cuts");
        assert_eq!(is_returned.try_recv(), Err(mpsc::TryRecvError::Empty));
        drop(write);
        is_returned.recv().expect("the cutter goes on");
        cutter.join().expect("the cutter ends");
    }

    #[test]
    fn the_first_reason_is_kept_and_waiters_are_woken() {
        let mark = CallMark::new();
        assert!(!mark.poll_cut(Waker::noop()));
        assert!(mark.cut(CutReason::ClientGone));
        assert!(!mark.cut(CutReason::Draining), "only the first cut is one");
        assert!(mark.poll_cut(Waker::noop()));
        assert_eq!(mark.cut_reason(), Some(CutReason::ClientGone));
    }
}

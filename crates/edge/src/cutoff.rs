//! When a call must stop: it was cut, its grant expired, or nobody waits for it and its time is over.
//!
//! Expiry is no command, so no view is published for it and the gate cuts nothing: each call keeps its own time. The
//! timer only wakes; the clock decides, so that a wall clock which is set forward during a sleep is seen within
//! [`RECHECK`]. What must stay true: a cut or expired call has its mark cut before it is told to stop. One that merely ran
//! out of time ends its writing when it ends, before it leaves the table: see [`authority::enforcement::CallMark::end`].

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use authority::{
    Reason,
    enforcement::{CallMark, CutReason},
    time::Wall,
};
use seams::SharedClock;
use tokio::time::{Sleep, sleep};

/// How long expiry sleeps at most before it looks at the wall clock again, which may have been set meanwhile.
const RECHECK: Duration = Duration::from_secs(5);

/// What ends one call.
pub(crate) struct Cutoff {
    mark: Arc<CallMark>,
    clock: SharedClock,
    expires_at: Option<Wall>,
    expiry: Option<Pin<Box<Sleep>>>,
    /// Runs once the client is gone and the call goes on without it.
    abandoned: Option<Pin<Box<Sleep>>>,
}

/// The call must stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Its mark is cut and says why.
    Cut,
    /// It ran on without its client for as long as it may.
    Abandoned,
}

impl Cutoff {
    pub(crate) fn new(mark: Arc<CallMark>, expires_at: Option<Wall>, clock: SharedClock) -> Self {
        Self { mark, clock, expires_at, expiry: None, abandoned: None }
    }

    /// The mark of the call.
    pub(crate) fn mark(&self) -> &Arc<CallMark> {
        &self.mark
    }

    /// Cuts the call because its client went away.
    pub(crate) fn client_gone(&self) {
        self.mark.cut(CutReason::ClientGone);
    }

    /// Lets the call run on without its client for `at_most`.
    pub(crate) fn abandon(&mut self, at_most: Duration) {
        self.abandoned.get_or_insert_with(|| Box::pin(sleep(at_most)));
    }

    /// Waits until the call must stop.
    pub(crate) async fn reached(&mut self) -> Stop {
        poll_fn(|cx| self.poll_reached(cx)).await
    }

    fn poll_reached(&mut self, cx: &mut Context<'_>) -> Poll<Stop> {
        if self.mark.poll_cut(cx.waker()) || self.poll_expired(cx) {
            return Poll::Ready(Stop::Cut);
        }
        match &mut self.abandoned {
            Some(abandoned) => abandoned.as_mut().poll(cx).map(|()| Stop::Abandoned),
            None => Poll::Pending,
        }
    }

    /// Whether the grant has expired, in which case the mark is cut; if not, the task is woken when to look again.
    fn poll_expired(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(expires_at) = self.expires_at else { return false };
        loop {
            let left = Duration::from_millis(expires_at.0.saturating_sub(self.clock.wall_millis()));
            if left.is_zero() {
                self.mark.cut(CutReason::Narrowed(Reason::GrantExpired));
                return true;
            }
            let timer = self.expiry.get_or_insert_with(|| Box::pin(sleep(left.min(RECHECK))));
            if timer.as_mut().poll(cx).is_pending() {
                return false;
            }
            self.expiry = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use seams::{ManualClock, SystemClock};

    use super::*;

    #[tokio::test]
    async fn a_call_is_cut_when_its_grant_expires_on_the_wall_clock_and_not_before() {
        let clock = Arc::new(ManualClock::new(1_000));
        let mark = Arc::new(CallMark::new());
        let mut cutoff = Cutoff::new(Arc::clone(&mark), Some(Wall(61_000)), clock.clone());
        clock.set_wall_millis(60_999);
        assert_eq!(cutoff.poll_reached(&mut Context::from_waker(Waker::noop())), Poll::Pending);
        assert_eq!(mark.cut_reason(), None);
        clock.set_wall_millis(61_000);
        assert_eq!(cutoff.reached().await, Stop::Cut);
        assert_eq!(mark.cut_reason(), Some(CutReason::Narrowed(Reason::GrantExpired)));
    }

    #[tokio::test]
    async fn the_timer_wakes_a_call_that_waits_for_its_expiry() {
        let clock: SharedClock = Arc::new(SystemClock);
        let expires_at = Wall(clock.wall_millis()).plus_millis(5);
        let mut cutoff = Cutoff::new(Arc::default(), Some(expires_at), clock);
        assert_eq!(cutoff.reached().await, Stop::Cut);
    }

    #[tokio::test]
    async fn an_abandoned_call_stops_after_its_time() {
        let mut cutoff = Cutoff::new(Arc::default(), None, Arc::new(ManualClock::new(0)));
        cutoff.abandon(Duration::from_millis(1));
        assert_eq!(cutoff.reached().await, Stop::Abandoned);
    }

    #[tokio::test]
    async fn a_cut_from_elsewhere_is_noticed() {
        let mark = Arc::new(CallMark::new());
        let mut cutoff = Cutoff::new(Arc::clone(&mark), None, Arc::new(ManualClock::new(0)));
        let waiting = tokio::spawn(async move { cutoff.reached().await });
        mark.cut(CutReason::Draining);
        assert_eq!(waiting.await.expect("it does not panic"), Stop::Cut);
    }
}

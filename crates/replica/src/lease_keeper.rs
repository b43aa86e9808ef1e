//! Keeps the lease of this node alive, as long as its leadership can be confirmed.
//!
//! The order is what makes a lease safe, and it is the same for any node: read the own clock (s), then ask for a
//! confirmation that begins after that, and apply everything known committed by then; only then extend the lease to
//! s + L(1−ε). A node that enforces under that lease cannot miss a narrowing that was answered before s.
//!
//! The one voter of a cluster confirms itself. An edge will send s and its applied revision to the leader instead, and
//! the leader will hold both against its floor and its fences (DESIGN.md, section 6) before it answers; what the edge
//! then does with the answer is [`LeaseKeeper::extend`].
//!
//! A renewal that fails is simply not made: the lease runs out by itself, every check of the data plane sees that on
//! its own clock, and here the calls that are still open are cut.

use std::{sync::Arc, time::Duration};

use authority::{
    enforcement::{CutReason, Gate, Lease},
    time::Boot,
};
use seams::SharedClock;
use tokio::time::{self, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::{config::Config, leadership::Leadership};

/// What keeps the lease of this node.
pub(crate) struct LeaseKeeper {
    leadership: Arc<Leadership>,
    gate: Arc<Gate>,
    clock: SharedClock,
    interval: Duration,
    enforceable: Duration,
}

impl LeaseKeeper {
    /// A keeper that holds no lease yet.
    pub(crate) fn new(
        leadership: Arc<Leadership>,
        gate: Arc<Gate>,
        clock: SharedClock,
        config: &Config,
    ) -> Self {
        let (interval, enforceable) = (config.renewal_interval(), config.enforceable());
        Self { leadership, gate, clock, interval, enforceable }
    }

    /// Renews until it is told to stop; then gives the lease up and cuts what is still open.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut ticks = time::interval(self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let renewal = async {
                ticks.tick().await;
                self.renew().await;
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = self.lapse() => self.cut_after_lapse(),
                () = renewal => {}
            }
        }
        self.gate.lease_cell().drop_lease();
        self.gate.cut_everything(CutReason::Draining);
    }

    /// One renewal. The clock is read before the confirmation begins.
    pub(crate) async fn renew(&self) {
        let began = self.now();
        match self.leadership.confirm().await {
            Ok(()) => self.extend(began),
            Err(error) => tracing::warn!(%error, "the lease was not renewed"),
        }
    }

    /// Extends the lease to `began` + L(1−ε). If it had lapsed meanwhile (the host slept, say), the calls that it
    /// covered are cut first: they must not go on as if nothing had been.
    fn extend(&self, began: Boot) {
        let held = self.gate.lease();
        if held != Lease::NONE && !held.covers(self.now()) {
            self.cut_after_lapse();
        }
        let nanos = u64::try_from(self.enforceable.as_nanos()).expect("a lease of seconds fits 584 years");
        self.gate.lease_cell().extend(Lease::until(Boot(began.0.saturating_add(nanos))));
    }

    /// Waits until the lease that is held runs out; for ever if none is held.
    async fn lapse(&self) {
        let held = self.gate.lease();
        if held == Lease::NONE {
            return std::future::pending().await;
        }
        loop {
            let now = self.now();
            if !held.covers(now) {
                return;
            }
            time::sleep(Duration::from_nanos(held.enforce_until().0 - now.0)).await;
        }
    }

    fn cut_after_lapse(&self) {
        self.gate.lease_cell().drop_lease();
        let cut = self.gate.cut_everything(CutReason::LeaseExpired);
        tracing::error!(
            calls_cut = cut.len(),
            "the lease has run out; calls are refused until it is renewed"
        );
    }

    fn now(&self) -> Boot {
        Boot(self.clock.boot_nanos())
    }
}

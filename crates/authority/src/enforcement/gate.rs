//! The gate: the one value a call and a revocation share. It owns the order that makes a revocation certain, so that
//! neither side can get it wrong.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use arc_swap::ArcSwapOption;

use super::{Call, CallMark, CutReason, InFlight, Lease, LeaseCell, Registered};
use crate::{
    decision::{decide, still_allowed},
    denial::{Denial, Reason, Rule},
    permit::Permit,
    time::{Now, Wall},
    view::View,
};

/// The published view, the lease and the calls in flight of one node.
#[derive(Debug, Default)]
pub struct Gate {
    view: ArcSwapOption<View>,
    lease: LeaseCell,
    in_flight: Arc<InFlight>,
    closed: AtomicBool,
}

/// A call that was allowed and is in flight. Dropping it takes the call out of the table.
#[derive(Debug)]
pub struct Admitted {
    /// The proof of the allow.
    pub permit: Permit,
    /// The call's place in the table.
    pub registered: Registered,
    /// The view that decided, for filtering what comes back.
    pub view: Arc<View>,
}

impl Gate {
    /// A gate with no view and no lease: it denies everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers the call, *then* loads the view, reads the clocks and the lease, and decides.
    pub fn admit(&self, call: Call, now: impl FnOnce() -> Now) -> Result<Admitted, Denial> {
        let registered = self.in_flight.register(call);
        let no = |reason| Denial { reason, rule: Rule::Node };
        // Read after registering, as `close` looks at what is registered after it closed.
        if self.closed.load(Ordering::SeqCst) {
            return Err(no(Reason::Draining));
        }
        let view = self.view.load_full().ok_or(no(Reason::NoView))?;
        let permit = decide(&view, &registered, now(), self.lease.read())?;
        self.check_credential(&permit)?;
        Ok(Admitted { permit, registered, view })
    }

    /// The credential of a call becomes known only with its decision, so a removal that was published meanwhile could not
    /// find the call by it: look once more, now that it can.
    fn check_credential(&self, permit: &Permit) -> Result<(), Denial> {
        let (Some(credential), Some(view)) = (permit.credential(), self.view.load_full()) else {
            return Ok(());
        };
        match view.credential(&credential.id) {
            Some(_) => Ok(()),
            None => {
                let rule = Rule::Server(credential.server.clone());
                Err(Denial { reason: Reason::CredentialRemoved, rule })
            }
        }
    }

    /// Publishes a view, *then* cuts every call in flight that it no longer allows and waits until none of them has a
    /// write under way. When this returns, nothing that the view denies sends another byte from this node. Answers
    /// the calls that it cut.
    pub fn publish(&self, view: View, wall: Wall) -> Vec<Arc<Call>> {
        let view = Arc::new(view);
        self.view.store(Some(Arc::clone(&view)));
        let narrowed = self.in_flight.select(|call, attached| {
            let gone = attached.is_some_and(|id| view.credential(id).is_none());
            let denied = still_allowed(&view, call, wall).err().map(|denial| denial.reason);
            denied.or(gone.then_some(Reason::CredentialRemoved))
        });
        cut_all(narrowed, |reason| CutReason::Narrowed(*reason))
    }

    /// Takes no more calls, *then* cuts what is in flight: for the end of the process. There is no way back.
    pub fn close(&self, reason: CutReason) -> Vec<Arc<Call>> {
        self.closed.store(true, Ordering::SeqCst);
        self.cut_everything(reason)
    }

    /// Cuts everything in flight, for the end of the lease or of the process.
    pub fn cut_everything(&self, reason: CutReason) -> Vec<Arc<Call>> {
        cut_all(self.in_flight.select(|_, _| Some(())), |()| reason)
    }

    /// The published view, if there is one.
    pub fn view(&self) -> Option<Arc<View>> {
        self.view.load_full()
    }

    /// The lease now.
    pub fn lease(&self) -> Lease {
        self.lease.read()
    }

    /// The cell that whoever renews the lease sets.
    pub fn lease_cell(&self) -> &LeaseCell {
        &self.lease
    }

    /// The calls in flight.
    pub fn in_flight(&self) -> &Arc<InFlight> {
        &self.in_flight
    }
}

/// Marks all first and waits second, so that one slow write delays the mark of no other call. Waits for calls that were
/// cut before too, since whoever cut them may still be waiting, but does not count them again.
fn cut_all<R>(calls: Vec<(Arc<Call>, Arc<CallMark>, R)>, reason: impl Fn(&R) -> CutReason) -> Vec<Arc<Call>> {
    let first = calls.iter().map(|(_, mark, why)| mark.cut(reason(why))).collect::<Vec<_>>();
    for (_, mark, _) in &calls {
        mark.wait_for_writes();
    }
    calls.into_iter().zip(first).filter_map(|((call, _, _), first)| first.then_some(call)).collect()
}

//! The slot of a connection: which call holds it, and how far that call's request has got.
//!
//! A connection carries one call at a time. The slot is shared between the call's side (forward, the reply) and the
//! socket's side (the gated socket, the task that drives hyper), and it is the only thing they share.
//!
//! ```text
//!   free ── begin(mark) ──► held: head ── body taken ──► flushed ── end ──► free
//! ```
//!
//! What must stay true: a call ends here only when all its bytes were handed to the kernel ([`CallSlot::end`]), so
//! that none of them can go out later under the mark of the next call.

use std::{sync::Arc, task::Waker};

use authority::enforcement::CallMark;
use parking_lot::Mutex;

use crate::response_headers::HeadRefused;

/// Which call holds a connection.
#[derive(Debug, Default)]
pub(crate) struct CallSlot {
    holding: Mutex<Holding>,
}

#[derive(Debug, Default)]
struct Holding {
    mark: Option<Arc<CallMark>>,
    /// Bytes that left through the socket for this call, TLS and its handshake included.
    written: u64,
    /// Whether hyper has taken the whole body of the request.
    body_taken: bool,
    /// Whether all that hyper gave was handed to the kernel.
    flushed: bool,
    /// Whether a write of this call was refused.
    refused: bool,
    head: AwaitedHead,
}

/// The head of the call's answer, as far as the bytes below hyper show it.
#[derive(Debug, Default)]
struct AwaitedHead {
    came: bool,
    /// Whether bytes came since the request or since the last interim answer.
    begun: bool,
    /// Bytes that came for it, interim answers included.
    bytes: u64,
    refused: Option<HeadRefused>,
}

impl CallSlot {
    /// A call takes the free connection.
    pub(crate) fn begin(&self, mark: Arc<CallMark>) {
        *self.holding.lock() = Holding { mark: Some(mark), ..Holding::default() };
    }

    /// The call is over. Answers whether the connection is free; if not, bytes of the call are still on their way
    /// through user space, it goes on holding the connection, and the connection has to be aborted.
    #[must_use]
    pub(crate) fn end(&self) -> bool {
        let mut holding = self.holding.lock();
        let all_sent = holding.body_taken && holding.flushed && !holding.refused;
        if all_sent {
            holding.mark = None;
        }
        all_sent
    }

    /// The mark of the call that holds the connection.
    pub(crate) fn mark(&self) -> Option<Arc<CallMark>> {
        self.holding.lock().mark.clone()
    }

    /// Whether a call holds the connection.
    pub(crate) fn is_held(&self) -> bool {
        self.holding.lock().mark.is_some()
    }

    /// Whether the call that holds the connection is cut; if not, `waker` is woken when it is.
    pub(crate) fn poll_cut(&self, waker: &Waker) -> bool {
        self.mark().is_some_and(|mark| mark.poll_cut(waker))
    }

    pub(crate) fn note_body_taken(&self) {
        let mut holding = self.holding.lock();
        holding.body_taken = true;
        holding.flushed = false;
    }

    /// Bytes above the socket are about to be written, so a flush before now says nothing.
    pub(crate) fn note_unflushed(&self) {
        self.holding.lock().flushed = false;
    }

    pub(crate) fn note_flushed(&self) {
        self.holding.lock().flushed = true;
    }

    pub(crate) fn note_written(&self, bytes: usize) {
        self.holding.lock().written += bytes as u64;
    }

    pub(crate) fn note_refused(&self) {
        self.holding.lock().refused = true;
    }

    /// Bytes came from the server, without TLS.
    pub(crate) fn note_received(&self, bytes: usize) {
        let mut holding = self.holding.lock();
        if holding.mark.is_some() && !holding.head.came && bytes > 0 {
            holding.head.begun = true;
            holding.head.bytes += bytes as u64;
        }
    }

    /// What came since the last of these was an interim answer and not the head.
    pub(crate) fn note_interim(&self) {
        self.holding.lock().head.begun = false;
    }

    pub(crate) fn note_head(&self) {
        self.holding.lock().head.came = true;
    }

    pub(crate) fn refuse_head(&self, why: HeadRefused) {
        self.holding.lock().head.refused = Some(why);
    }

    /// Bytes that came for a head that is not whole, interim answers included.
    pub(crate) fn head_bytes(&self) -> u64 {
        let holding = self.holding.lock();
        if holding.head.came { 0 } else { holding.head.bytes }
    }

    /// Whether a head has begun that is not whole.
    pub(crate) fn awaits_rest_of_head(&self) -> bool {
        let holding = self.holding.lock();
        holding.head.begun && !holding.head.came
    }

    /// Why the head was refused while it came.
    pub(crate) fn head_refused(&self) -> Option<HeadRefused> {
        self.holding.lock().head.refused
    }

    /// Bytes that left through the socket for this call.
    pub(crate) fn written(&self) -> u64 {
        self.holding.lock().written
    }

    /// Whether a write of this call was refused, because it is cut or no lease covered the instant.
    pub(crate) fn was_refused(&self) -> bool {
        self.holding.lock().refused
    }
}

#[cfg(test)]
mod tests {
    use authority::enforcement::CutReason;

    use super::*;

    fn held() -> (CallSlot, Arc<CallMark>) {
        let (slot, mark) = (CallSlot::default(), Arc::new(CallMark::new()));
        slot.begin(Arc::clone(&mark));
        (slot, mark)
    }

    #[test]
    fn a_call_ends_only_when_all_its_bytes_were_handed_over() {
        let (slot, _) = held();
        assert!(!slot.end(), "the body was not taken");
        slot.note_flushed();
        assert!(!slot.end(), "a flush before the body says nothing of the body");
        slot.note_body_taken();
        assert!(!slot.end(), "the body was not flushed");
        slot.note_flushed();
        slot.note_unflushed();
        assert!(!slot.end(), "more was written since");
        slot.note_flushed();
        assert!(slot.end());
        assert!(!slot.is_held());
    }

    #[test]
    fn nothing_of_one_call_is_counted_for_the_next() {
        let (slot, _) = held();
        slot.note_written(7);
        slot.note_refused();
        slot.begin(Arc::new(CallMark::new()));
        assert_eq!((slot.written(), slot.was_refused()), (0, false));
    }

    #[test]
    fn only_the_cut_of_the_holding_call_counts() {
        let (slot, first) = held();
        slot.note_body_taken();
        slot.note_flushed();
        assert!(slot.end());
        first.cut(CutReason::ClientGone);
        assert!(!slot.poll_cut(Waker::noop()));
        slot.begin(first);
        assert!(slot.poll_cut(Waker::noop()));
    }
}

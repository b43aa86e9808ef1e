//! The body of a request: the bytes the edge read strictly, in one piece, untouched.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::call_slot::CallSlot;

/// A body in one piece that tells its call's slot when hyper has taken it.
pub(crate) struct RequestBody {
    bytes: Option<Bytes>,
    slot: Arc<CallSlot>,
}

impl RequestBody {
    /// The body of the call that holds `slot`.
    pub(crate) fn new(bytes: Bytes, slot: Arc<CallSlot>) -> Self {
        let bytes = Some(bytes).filter(|bytes| !bytes.is_empty());
        if bytes.is_none() {
            // hyper never asks for a body that is empty from the start.
            slot.note_body_taken();
        }
        Self { bytes, slot }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = self.bytes.take();
        if bytes.is_some() {
            self.slot.note_body_taken();
        }
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

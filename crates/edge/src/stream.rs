//! Passing a stream of events on: event by event, with a first byte at once and a comment whenever it is silent.
//!
//! An event is held until it is whole, because it may be one that is not for this client, or a list; one that need not
//! change goes on as it came, and none waits for the next. What must stay true: the events of a stream, and what is in
//! them, do not depend on where comments were put.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use mcp::sse::{Decoder, Frame, KEEP_ALIVE, StreamLimits};

use tokio::time::sleep;
use upstream::ReplyBody;

use crate::{
    broke::Broke,
    exchange::answering::Answering,
    filter::Filter,
    relay::{Relay, Within},
};

/// What may open a stream and means nothing (WHATWG HTML, 9.2.5). Behind our first comment it would mean something.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What has to be done to the events of a stream.
pub(crate) struct Events<'call> {
    /// Cuts their lists.
    pub(crate) filter: Option<&'call Filter>,
    /// Leaves out what answers nothing; not for a stream that a GET opened.
    pub(crate) answering: Option<&'call mut Answering>,
    /// The most bytes of one event.
    pub(crate) max_bytes: usize,
}

/// Passes `body` on until it ends, or until its response has passed where nothing can follow that.
pub(crate) async fn pass(
    relay: &mut Relay,
    body: &mut ReplyBody,
    mut events: Events<'_>,
    keep_alive: Duration,
) -> Result<(), Broke> {
    relay.send(Bytes::from_static(KEEP_ALIVE)).await?;
    let bytes = events.max_bytes;
    let mut decoder = Decoder::new(StreamLimits { event_bytes: bytes, line_bytes: bytes });
    loop {
        match relay.next_within(body, sleep(keep_alive)).await? {
            Within::Next(Some(piece)) => decoder.push(&piece),
            Within::Next(None) => return Ok(()),
            // Only whole events go on, so here it is always between two.
            Within::Silence => relay.send(Bytes::from_static(KEEP_ALIVE)).await?,
        }
        while let Some(frame) = decoder.next_frame().map_err(|_overrun| Broke::TooLarge)? {
            if let Some(passed) = events.passed(&frame) {
                relay.send(passed).await?;
            }
            if events.are_over() {
                return Ok(());
            }
        }
    }
}

impl Events<'_> {
    /// What of the event goes on.
    fn passed(&mut self, frame: &Frame) -> Option<Bytes> {
        if let (Some(answering), Some(data)) = (&mut self.answering, &frame.data)
            && !answering.passes(data)
        {
            return None;
        }
        match self.filter {
            Some(filter) => filtered(frame, filter),
            None => Some(whole(frame)),
        }
    }

    fn are_over(&self) -> bool {
        self.answering.as_ref().is_some_and(|answering| answering.is_over())
    }
}

/// The event as the grant may see it. One that cannot be read might be a list to somebody, and is left out; the others
/// of the stream go on, because servers have been seen to send lines that are no message to keep a stream alive.
fn filtered(frame: &Frame, filter: &Filter) -> Option<Bytes> {
    let Some(data) = &frame.data else { return Some(whole(frame)) };
    match filter.message(data) {
        Ok(Cow::Borrowed(_)) => Some(whole(frame)),
        Ok(Cow::Owned(changed)) => Some(frame.with_data(&changed).into()),
        Err(fault) => {
            tracing::warn!(%fault, "an event of an upstream cannot be read and was left out");
            None
        }
    }
}

/// The event as it came.
fn whole(frame: &Frame) -> Bytes {
    let unmarked = frame.raw.strip_prefix(BYTE_ORDER_MARK);
    unmarked.map_or_else(|| frame.raw.clone(), |rest| frame.raw.slice_ref(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_that_opens_a_stream_is_left_out_behind_our_comment() {
        let mut decoder = Decoder::new(StreamLimits::default());
        decoder.push(b"\xef\xbb\xbfdata: a\n\n");
        let frame = decoder.next_frame().expect("it is short").expect("it is whole");
        assert_eq!(whole(&frame), "data: a\n\n");
    }
}

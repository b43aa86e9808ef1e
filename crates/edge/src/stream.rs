//! Passing a stream of events on: unbuffered, with a first byte at once and a comment whenever it is silent.
//!
//! A stream that needs no filtering goes through as the bytes it is made of; only its last few are looked at, to know
//! where an event ends, because a comment may stand only between two. One that needs filtering is taken apart into
//! events, and an event that need not change goes on as it came. What must stay true: the events of a stream, and what
//! is in them, do not depend on where comments were put.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use mcp::sse::{Decoder, Frame, KEEP_ALIVE, StreamLimits};

use tokio::time::sleep;
use upstream::ReplyBody;

use crate::{
    broke::Broke,
    filter::Filter,
    relay::{Relay, Within},
};

/// What may open a stream and means nothing (WHATWG HTML, 9.2.5). Behind our first comment it would mean something.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Passes `body` on until it ends.
pub(crate) async fn pass(
    relay: &mut Relay,
    body: &mut ReplyBody,
    filter: Option<&Filter>,
    keep_alive: Duration,
) -> Result<(), Broke> {
    relay.send(Bytes::from_static(KEEP_ALIVE)).await?;
    match filter {
        Some(filter) => pass_filtered(relay, body, filter, keep_alive).await,
        None => pass_as_it_is(relay, body, keep_alive).await,
    }
}

async fn pass_as_it_is(relay: &mut Relay, body: &mut ReplyBody, keep_alive: Duration) -> Result<(), Broke> {
    let mut seam = Seam::default();
    loop {
        match relay.next_within(body, sleep(keep_alive)).await? {
            Within::Next(Some(piece)) => {
                let piece = seam.pass(piece);
                relay.send(piece).await?;
            }
            Within::Next(None) => return Ok(()),
            Within::Silence if seam.is_between_events() => relay.send(Bytes::from_static(KEEP_ALIVE)).await?,
            Within::Silence => {}
        }
    }
}

async fn pass_filtered(
    relay: &mut Relay,
    body: &mut ReplyBody,
    filter: &Filter,
    keep_alive: Duration,
) -> Result<(), Broke> {
    let bytes = filter.max_bytes();
    let mut decoder = Decoder::new(StreamLimits { event_bytes: bytes, line_bytes: bytes });
    loop {
        match relay.next_within(body, sleep(keep_alive)).await? {
            Within::Next(Some(piece)) => {
                decoder.push(&piece);
                while let Some(frame) = decoder.next_frame().map_err(|_overrun| Broke::TooLarge)? {
                    if let Some(passed) = filtered(&frame, filter) {
                        relay.send(passed).await?;
                    }
                }
            }
            Within::Next(None) => return Ok(()),
            // Only whole events go on, so here it is always between two.
            Within::Silence => relay.send(Bytes::from_static(KEEP_ALIVE)).await?,
        }
    }
}

/// The event as the grant may see it. One that cannot be read might be a list to somebody, and is left out; the others
/// of the stream go on, because servers have been seen to send lines that are no message to keep a stream alive.
fn filtered(frame: &Frame, filter: &Filter) -> Option<Bytes> {
    let whole = || {
        let unmarked = frame.raw.strip_prefix(BYTE_ORDER_MARK);
        unmarked.map_or_else(|| frame.raw.clone(), |rest| frame.raw.slice_ref(rest))
    };
    let Some(data) = &frame.data else { return Some(whole()) };
    match filter.message(data) {
        Ok(Cow::Borrowed(_)) => Some(whole()),
        Ok(Cow::Owned(changed)) => Some(frame.with_data(&changed).into()),
        Err(fault) => {
            tracing::warn!(%fault, "an event of an upstream cannot be read and was left out");
            None
        }
    }
}

/// Whether the last bytes that passed end an event.
#[derive(Debug, Default)]
struct Seam {
    begun: bool,
    /// The last four bytes, the newest last.
    tail: [u8; 4],
}

impl Seam {
    /// Notes what passes, without the mark that may open a stream.
    fn pass(&mut self, mut piece: Bytes) -> Bytes {
        if !self.begun && piece.starts_with(BYTE_ORDER_MARK) {
            piece = piece.slice(BYTE_ORDER_MARK.len()..);
        }
        self.begun |= !piece.is_empty();
        for byte in &piece[piece.len().saturating_sub(self.tail.len())..] {
            self.tail.rotate_left(1);
            self.tail[3] = *byte;
        }
        piece
    }

    /// Whether a comment may stand here. After a bare CR it may not: an LF could follow that belongs to it.
    fn is_between_events(&self) -> bool {
        !self.begun || self.tail.ends_with(b"\n\n") || self.tail == *b"\r\n\r\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_stands_only_between_two_events() {
        let between = |pieces: &[&'static str]| {
            let mut seam = Seam::default();
            for piece in pieces {
                seam.pass(Bytes::from_static(piece.as_bytes()));
            }
            seam.is_between_events()
        };
        for pieces in [
            &[][..],
            &["data: a\n\n"],
            &["data: a\n", "\n"],
            &["data: a\r\n\r", "\n"],
            &["data: a\r\n", "\r\n"],
        ] {
            assert!(between(pieces), "{pieces:?}");
        }
        for pieces in [&["d"][..], &["data: a\n"], &["data: a\r\n\r"], &["data: a\r\r"], &["data: a\n\ndata"]]
        {
            assert!(!between(pieces), "{pieces:?}");
        }
    }

    #[test]
    fn the_mark_that_opens_a_stream_is_left_out_behind_our_comment() {
        let mut seam = Seam::default();
        let passed = seam.pass(Bytes::from_static(b"\xef\xbb\xbfdata: a\n\n"));
        assert_eq!(passed, "data: a\n\n");
        assert_eq!(seam.pass(Bytes::from_static(b"\xef\xbb\xbf")), "\u{feff}");
    }
}

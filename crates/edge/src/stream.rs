//! Passing a stream of events on: unbuffered, with a first byte at once and a comment whenever it is silent.
//!
//! A stream that needs no filtering goes through as the bytes it is made of; only its last few are looked at, to know
//! where an event ends, because a comment may stand only between two. One that needs filtering is taken apart into
//! events, and an event that need not change goes on as it came. What must stay true: the events of a stream, and what
//! is in them, do not depend on where comments were put.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use http_body::Body;
use mcp::{
    lists::ListFault,
    sse::{Decoder, Frame, KEEP_ALIVE, StreamLimits},
};

use tokio::time::sleep;

use crate::{
    cutoff::Stop,
    filter::Filter,
    relay::{Next, Relay},
};

/// What may open a stream and means nothing (WHATWG HTML, 9.2.5). Behind our first comment it would mean something.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How a stream ended before its time.
#[derive(Debug)]
pub(crate) enum StreamEnded<E> {
    /// The call had to stop.
    Stopped(Stop),
    /// The upstream broke it.
    Broken(E),
    /// An event is too long.
    Overrun,
    /// An event cannot be read, so it cannot be filtered.
    Unreadable(ListFault),
}

impl<E> From<Stop> for StreamEnded<E> {
    fn from(stop: Stop) -> Self {
        Self::Stopped(stop)
    }
}

/// Passes `body` on until it ends.
pub(crate) async fn pass<B>(
    relay: &mut Relay,
    body: &mut B,
    filter: Option<&Filter>,
    keep_alive: Duration,
) -> Result<(), StreamEnded<B::Error>>
where
    B: Body<Data = Bytes> + Unpin,
{
    relay.send(Bytes::from_static(KEEP_ALIVE)).await?;
    match filter {
        Some(filter) => pass_filtered(relay, body, filter, keep_alive).await,
        None => pass_as_it_is(relay, body, keep_alive).await,
    }
}

async fn pass_as_it_is<B>(
    relay: &mut Relay,
    body: &mut B,
    keep_alive: Duration,
) -> Result<(), StreamEnded<B::Error>>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut seam = Seam::default();
    loop {
        match relay.next(body, sleep(keep_alive)).await? {
            Next::Piece(piece) => {
                let piece = seam.pass(piece);
                relay.send(piece).await?;
            }
            Next::Silence if seam.is_between_events() => {
                relay.send(Bytes::from_static(KEEP_ALIVE)).await?;
            }
            Next::Silence => {}
            Next::End => return Ok(()),
            Next::Broken(broken) => return Err(StreamEnded::Broken(broken)),
        }
    }
}

async fn pass_filtered<B>(
    relay: &mut Relay,
    body: &mut B,
    filter: &Filter,
    keep_alive: Duration,
) -> Result<(), StreamEnded<B::Error>>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut decoder =
        Decoder::new(StreamLimits { event_bytes: filter.max_bytes(), line_bytes: filter.max_bytes() });
    loop {
        match relay.next(body, sleep(keep_alive)).await? {
            Next::Piece(piece) => {
                decoder.push(&piece);
                while let Some(frame) = decoder.next_frame().map_err(|_overrun| StreamEnded::Overrun)? {
                    let passed = filtered(&frame, filter).map_err(StreamEnded::Unreadable)?;
                    relay.send(passed).await?;
                }
            }
            // Only whole events go on, so here it is always between two.
            Next::Silence => relay.send(Bytes::from_static(KEEP_ALIVE)).await?,
            Next::End => return Ok(()),
            Next::Broken(broken) => return Err(StreamEnded::Broken(broken)),
        }
    }
}

/// The event as the grant may see it.
fn filtered(frame: &Frame, filter: &Filter) -> Result<Bytes, ListFault> {
    let whole = || {
        frame.raw.strip_prefix(BYTE_ORDER_MARK).map_or(frame.raw.clone(), |rest| frame.raw.slice_ref(rest))
    };
    let Some(data) = &frame.data else { return Ok(whole()) };
    Ok(match filter.message(data)? {
        Cow::Borrowed(_) => whole(),
        Cow::Owned(changed) => frame.with_data(&changed).into(),
    })
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

//! Chunks in, frames out.
//!
//! A line ends in LF, CR LF or CR alone. The last makes the end of a frame ambiguous for as long as the byte behind a
//! CR is unknown. The decoder waits for that byte, since streams that end lines in CR LF are common and their LF must
//! not be left behind; only after a line that ended in a bare CR is the next one believed at once, so that a stream of
//! bare CRs is never a frame late. The choice depends on bytes alone, never on chunks.

use bytes::{Buf, Bytes, BytesMut};

use super::encoder::{self, Event};
use crate::limits::{MAX_EVENT_BYTES, MAX_LINE_BYTES};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What of a stream may be kept while a frame is not complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimits {
    /// Bytes of one frame, its terminator included.
    pub event_bytes: usize,
    /// Bytes of one line without its terminator.
    pub line_bytes: usize,
}

impl Default for StreamLimits {
    fn default() -> Self {
        StreamLimits { event_bytes: MAX_EVENT_BYTES, line_bytes: MAX_LINE_BYTES }
    }
}

/// A stream with a frame or a line beyond its bound. Nothing more can be read of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Overrun {
    /// A frame is too long.
    #[error("an event of the stream is longer than {limit} bytes")]
    Event {
        /// The bound.
        limit: usize,
    },
    /// A line is too long.
    #[error("a line of the stream is longer than {limit} bytes")]
    Line {
        /// The bound.
        limit: usize,
    },
}

/// Everything up to and including one blank line: an event, a comment, or a bare blank line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// The bytes of the stream that make it up.
    pub raw: Bytes,
    /// `id`, if there was one; an empty one resets the last event id.
    pub id: Option<Bytes>,
    /// `event`; without it the event is a `message`.
    pub event: Option<Bytes>,
    /// The `data` lines joined by LF. Without any the frame is no event, and a client ignores it.
    pub data: Option<Bytes>,
    /// `retry` in milliseconds.
    pub retry_ms: Option<u64>,
}

impl Frame {
    /// The same event with other data.
    ///
    /// # Panics
    /// Never for a frame of the [`Decoder`], whose fields hold no line ends.
    #[must_use]
    pub fn with_data(&self, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(data.len() + 64);
        let event = Event {
            id: self.id.as_deref(),
            event: self.event.as_deref(),
            data: Some(data),
            retry_ms: self.retry_ms,
        };
        encoder::write(&mut out, &event).expect("a field that was one line is one line");
        out
    }
}

/// An incremental reader of one stream.
#[derive(Debug, Default)]
pub struct Decoder {
    limits: StreamLimits,
    /// The incomplete frame and whatever follows it.
    buffer: BytesMut,
    /// Offset at which the search for the next line end goes on.
    searched: usize,
    /// Offset of the line that is being read.
    line: usize,
    /// Whether the line before it ended in a CR without LF.
    after_bare_cr: bool,
    /// Whether an LF at the start of the buffer belongs to a CR that ended the last frame.
    orphan_lf: bool,
    /// Whether any line has been read, after which a byte order mark is one no more.
    begun: bool,
    overrun: Option<Overrun>,
    fields: Fields,
}

/// Where the fields of the frame at the start of the buffer lie.
#[derive(Debug, Default)]
struct Fields {
    id: Option<(usize, usize)>,
    event: Option<(usize, usize)>,
    data: Vec<(usize, usize)>,
    retry_ms: Option<u64>,
}

impl Decoder {
    /// A decoder at the start of a stream.
    #[must_use]
    pub fn new(limits: StreamLimits) -> Self {
        Decoder { limits, ..Decoder::default() }
    }

    /// Takes the next bytes of the stream. Call [`Decoder::next_frame`] until it has no more before the next chunk,
    /// so that only one incomplete frame is kept.
    pub fn push(&mut self, chunk: &[u8]) {
        if self.overrun.is_none() {
            self.buffer.extend_from_slice(chunk);
        }
    }

    /// The next complete frame.
    ///
    /// # Errors
    /// When a frame or line passes its bound; from then on always.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, Overrun> {
        match self.overrun {
            Some(overrun) => Err(overrun),
            None => self.read().inspect_err(|overrun| {
                self.overrun = Some(*overrun);
                self.buffer = BytesMut::new();
            }),
        }
    }

    /// The bytes of the frame that the stream ended in. A client ignores them, since no blank line completed them.
    #[must_use]
    pub fn into_rest(self) -> Bytes {
        self.buffer.freeze()
    }

    fn read(&mut self) -> Result<Option<Frame>, Overrun> {
        self.pass_orphan_lf();
        while let Some((end, next)) = self.line_end() {
            self.bounded(end, next)?;
            let start = self.line_start();
            self.begun = true;
            if start == end {
                return Ok(Some(self.complete(next)));
            }
            self.fields.take_line(&self.buffer, start, end);
            self.after_bare_cr = next == end + 1 && self.buffer[end] == b'\r';
            self.line = next;
            self.searched = next;
        }
        self.bounded(self.buffer.len(), self.buffer.len())?;
        Ok(None)
    }

    fn pass_orphan_lf(&mut self) {
        if self.orphan_lf && !self.buffer.is_empty() {
            self.orphan_lf = false;
            if self.buffer[0] == b'\n' {
                self.line = 1;
                self.searched = 1;
            }
        }
    }

    /// Start of the current line, behind the mark that may open a stream.
    fn line_start(&self) -> usize {
        let marked = !self.begun && self.buffer[self.line..].starts_with(BYTE_ORDER_MARK);
        self.line + if marked { BYTE_ORDER_MARK.len() } else { 0 }
    }

    /// End of the current line and start of the next, once both are known.
    fn line_end(&mut self) -> Option<(usize, usize)> {
        let found = self.buffer[self.searched..].iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let Some(found) = found else {
            self.searched = self.buffer.len();
            return None;
        };
        let end = self.searched + found;
        self.searched = end;
        if self.buffer[end] == b'\n' {
            return Some((end, end + 1));
        }
        if self.after_bare_cr && self.line_start() == end {
            self.orphan_lf = true;
            return Some((end, end + 1));
        }
        match self.buffer.get(end + 1) {
            Some(b'\n') => Some((end, end + 2)),
            Some(_) => Some((end, end + 1)),
            None => None,
        }
    }

    fn bounded(&self, end: usize, next: usize) -> Result<(), Overrun> {
        let StreamLimits { event_bytes, line_bytes } = self.limits;
        // A CR that waits for its LF is not part of the line.
        let waiting = usize::from(self.buffer[..end].ends_with(b"\r") && self.searched < end);
        if end - waiting - self.line > line_bytes {
            return Err(Overrun::Line { limit: line_bytes });
        }
        if next > event_bytes {
            return Err(Overrun::Event { limit: event_bytes });
        }
        Ok(())
    }

    /// Cuts the frame that ends at `next` off the buffer.
    fn complete(&mut self, next: usize) -> Frame {
        let raw = self.buffer.split_to(next).freeze();
        let fields = std::mem::take(&mut self.fields);
        self.line = 0;
        self.searched = 0;
        self.after_bare_cr = false;
        let slice = |(start, end): (usize, usize)| raw.slice(start..end);
        Frame {
            id: fields.id.map(slice),
            event: fields.event.map(slice),
            data: join(&raw, &fields.data),
            retry_ms: fields.retry_ms,
            raw,
        }
    }
}

impl Fields {
    fn take_line(&mut self, buffer: &[u8], start: usize, end: usize) {
        let line = &buffer[start..end];
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let mut value = (start + colon + 1).min(end);
        if buffer[value..end].first() == Some(&b' ') {
            value += 1;
        }
        match &line[..colon] {
            b"data" => self.data.push((value, end)),
            b"event" => self.event = Some((value, end)),
            b"id" if !buffer[value..end].contains(&0) => self.id = Some((value, end)),
            b"retry" => {
                let digits = std::str::from_utf8(&buffer[value..end]).ok();
                let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
                self.retry_ms = digits.and_then(|digits| digits.parse().ok()).or(self.retry_ms);
            }
            // Comments begin with the colon; fields without a meaning are ignored by the standard.
            _ => {}
        }
    }
}

/// The data lines joined by LF, sharing the frame's memory when there is only one.
fn join(raw: &Bytes, lines: &[(usize, usize)]) -> Option<Bytes> {
    match lines {
        [] => None,
        [(start, end)] => Some(raw.slice(*start..*end)),
        [first, rest @ ..] => {
            let mut joined = BytesMut::from(&raw[first.0..first.1]);
            for (start, end) in rest {
                joined.extend_from_slice(b"\n");
                joined.extend_from_slice(&raw[*start..*end]);
            }
            Some(joined.copy_to_bytes(joined.len()))
        }
    }
}

#[cfg(test)]
mod tests;

//! The bounds of one event stream: events in all, events in a second, bytes of one event (FAULTS D04).
//!
//! It counts line ends and understands nothing else of the framing; reading events is the edge's. What must stay true:
//! the count does not depend on how the stream is cut into chunks, and an event that never ends is an event too large.

use crate::config::Bounds;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// Counts what has come of one stream.
#[derive(Debug)]
pub(crate) struct StreamBounds {
    bounds: Bounds,
    events: u64,
    event_bytes: u64,
    line_is_empty: bool,
    after_carriage_return: bool,
    /// The second that is being counted, and the events in it.
    second: (u64, u64),
}

/// A stream went over one of its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamRefused {
    /// One event did not end in time.
    #[error("an event of the stream has more than {limit} bytes")]
    EventTooLarge {
        /// The bound.
        limit: u64,
    },
    /// Too many in all.
    #[error("the stream has more than {limit} events")]
    TooManyEvents {
        /// The bound.
        limit: u64,
    },
    /// Too many at once.
    #[error("the stream has more than {limit} events in a second")]
    TooFast {
        /// The bound.
        limit: u64,
    },
}

impl StreamBounds {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            events: 0,
            event_bytes: 0,
            line_is_empty: true,
            after_carriage_return: false,
            second: (0, 0),
        }
    }

    /// Counts a chunk that came at the boot time `now_nanos`.
    pub(crate) fn take(&mut self, chunk: &[u8], now_nanos: u64) -> Result<(), StreamRefused> {
        let before = self.events;
        for byte in chunk {
            self.event_bytes += 1;
            match byte {
                // One line end of two bytes.
                b'\n' if self.after_carriage_return => self.after_carriage_return = false,
                b'\n' | b'\r' => {
                    if self.line_is_empty {
                        self.events += 1;
                        self.event_bytes = 0;
                    }
                    self.line_is_empty = true;
                    self.after_carriage_return = *byte == b'\r';
                }
                _ => {
                    self.line_is_empty = false;
                    self.after_carriage_return = false;
                    if self.event_bytes > self.bounds.event_bytes {
                        return Err(StreamRefused::EventTooLarge { limit: self.bounds.event_bytes });
                    }
                }
            }
        }
        self.count(self.events - before, now_nanos)
    }

    fn count(&mut self, new: u64, now_nanos: u64) -> Result<(), StreamRefused> {
        if self.events > self.bounds.events {
            return Err(StreamRefused::TooManyEvents { limit: self.bounds.events });
        }
        let second = now_nanos / NANOS_PER_SECOND;
        if self.second.0 != second {
            self.second = (second, 0);
        }
        self.second.1 += new;
        if self.second.1 > self.bounds.events_per_second {
            return Err(StreamRefused::TooFast { limit: self.bounds.events_per_second });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: fn() -> StreamBounds = || {
        StreamBounds::new(Bounds { events: 6, events_per_second: 4, event_bytes: 20, ..Bounds::default() })
    };

    #[test]
    fn every_kind_of_line_end_ends_events_and_chunks_do_not_matter() {
        for stream in ["data: 1\n\n: 2\n\n", "data: 1\r\n\r\n: 2\r\n\r\n", "data: 1\r\r: 2\r\r"] {
            let (mut whole, mut single) = (BOUNDS(), BOUNDS());
            whole.take(stream.as_bytes(), 0).expect("within the bounds");
            for byte in stream.as_bytes().chunks(1) {
                single.take(byte, 0).expect("within the bounds");
            }
            assert_eq!((whole.events, single.events), (2, 2), "{stream:?}");
        }
    }

    /// D04: a stream without an end of line, and one of tiny events.
    #[test]
    fn d04_a_stream_is_bounded_in_bytes_of_an_event_in_events_and_in_rate() {
        let mut endless = BOUNDS();
        assert_eq!(endless.take(&[b'x'; 20], 0), Ok(()));
        assert_eq!(endless.take(b"x", 0), Err(StreamRefused::EventTooLarge { limit: 20 }));
        let mut fast = BOUNDS();
        assert_eq!(fast.take(b"a\n\nb\n\nc\n\nd\n\n", 0), Ok(()));
        assert_eq!(fast.take(b"e\n\n", 1), Err(StreamRefused::TooFast { limit: 4 }));
        let mut many = BOUNDS();
        for second in 0..6 {
            assert_eq!(many.take(b"a\n\n", second * NANOS_PER_SECOND), Ok(()));
        }
        assert_eq!(many.take(b"a\n\n", 9 * NANOS_PER_SECOND), Err(StreamRefused::TooManyEvents { limit: 6 }));
    }
}

//! A stream means the same however the network cuts it.

use crate::sse::{Decoder, Frame, StreamLimits};

/// Small bounds, so that short inputs reach them.
const LIMITS: StreamLimits = StreamLimits { event_bytes: 256, line_bytes: 128 };

/// Decodes `stream` whole, byte by byte, and in uneven chunks: the frames must be the same, their bytes put together
/// must be the stream, and what is encoded from a frame must decode to it.
///
/// # Panics
/// When one of these does not hold.
pub fn sse_stream(stream: &[u8]) -> bool {
    let whole = decode(stream, stream.len().max(1));
    for size in [1, 2, 3, 7] {
        let cut = decode(stream, size);
        assert_eq!(cut.frames, whole.frames, "chunks of {size} bytes give other frames");
        assert_eq!(cut.rest.is_none(), whole.rest.is_none(), "chunks of {size} bytes pass another bound");
    }
    if let Some(rest) = &whole.rest {
        let mut joined: Vec<u8> = whole.frames.iter().flat_map(|frame| frame.raw.to_vec()).collect();
        joined.extend_from_slice(rest);
        assert_eq!(joined, stream, "the frames' bytes are not the stream");
    }
    for frame in &whole.frames {
        assert!(frame.raw.len() <= LIMITS.event_bytes);
        if let Some(data) = &frame.data {
            let again = decode(&frame.with_data(data), usize::MAX);
            let [copy] = &again.frames[..] else {
                panic!("one event was written, {} read", again.frames.len())
            };
            let parts = |frame: &Frame| (frame.id.clone(), frame.event.clone(), frame.retry_ms);
            assert_eq!(parts(copy), parts(frame));
            assert_eq!(copy.data.as_deref(), Some(&**data));
        }
    }
    !whole.frames.is_empty()
}

/// What a stream gave: its frames, and the bytes after them unless a bound was passed.
struct Decoded {
    frames: Vec<Frame>,
    rest: Option<Vec<u8>>,
}

fn decode(stream: &[u8], chunk: usize) -> Decoded {
    let mut limits = LIMITS;
    if chunk == usize::MAX {
        limits = StreamLimits::default();
    }
    let mut decoder = Decoder::new(limits);
    let mut frames = Vec::new();
    for part in stream.chunks(chunk.min(stream.len().max(1))) {
        decoder.push(part);
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(_) => return Decoded { frames, rest: None },
            }
        }
    }
    Decoded { frames, rest: Some(decoder.into_rest().to_vec()) }
}

//! Server-sent events: the framing in which a server streams messages (WHATWG HTML, 9.2).
//!
//! A stream passes through the gateway unbuffered: each [`Frame`] that the [`decoder`] yields carries the bytes it was
//! made of, and the frames' bytes put together are the stream, so that what need not be changed is forwarded as it
//! came. Only a list answer is replaced, with [`Frame::with_data`]. The [`encoder`] writes the events the gateway
//! sends itself.
//!
//! Frames do not depend on how the network cut the stream into chunks (fuzz target `sse_stream` holds that), and
//! nothing larger than the [`StreamLimits`] is ever kept (FAULTS D04).

pub mod decoder;
pub mod encoder;

pub use decoder::{Decoder, Frame, Overrun, StreamLimits};
pub use encoder::{Event, KEEP_ALIVE, NotAField};

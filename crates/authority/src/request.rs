//! Request ids: what makes a retried command safe. The first answer to a request id is kept and given again.

use std::fmt;

/// How long an answer is kept: 24 hours, in milliseconds of cluster time.
pub const REMEMBERED_MILLIS: u64 = 24 * 3_600_000;

/// The most answers kept; past it the oldest go first. At 100 bytes each this is 10 MB.
pub const MAX_REMEMBERED: usize = 100_000;

/// The id a client gives to one request: a UUID (RFC 9562), as its 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub [u8; 16]);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

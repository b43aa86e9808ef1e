//! Just enough HTTP/1.1 to make load and to answer it: a head is found, and a body is counted to its end.
//!
//! It is not a parser to build on: it believes both ends, which are ours or the proxy that is being measured, and checks
//! only what would make a figure wrong. What must stay true: a body counts as whole exactly when its last byte was
//! there, since throughput and latency are taken at that moment.

/// The head of a message: the first line and the header lines, up to and with the empty line.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    bytes: &'a [u8],
}

/// A body that is being counted.
#[derive(Debug)]
pub enum Body {
    /// As long as `Content-Length` says.
    Sized {
        /// Bytes still to come.
        left: u64,
        /// Bytes there were.
        seen: u64,
    },
    /// In chunks (RFC 9112, section 7.1).
    Chunked(Chunked),
}

/// The reader of a chunked body.
#[derive(Debug)]
pub struct Chunked {
    step: Step,
    left: u64,
    seen: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Size,
    Extension,
    Data,
    DataEnd,
    /// In the trailer section; the flag says that the line so far is empty.
    Trailer(bool),
    Done,
}

/// The body is framed in a way that this reader does not know, or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the answer has neither a length nor well-formed chunks")
    }
}

impl std::error::Error for Malformed {}

impl<'a> Head<'a> {
    /// The head at the start of `bytes`, once all of it is there.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        Some(Self { bytes: &bytes[..end + 4] })
    }

    /// Its length, with the empty line.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The status, if it is the head of an answer.
    pub fn status(&self) -> Option<u16> {
        std::str::from_utf8(self.bytes.get(9..12)?).ok()?.parse().ok()
    }

    /// Whether it is the head of a POST.
    pub fn is_post(&self) -> bool {
        self.bytes.starts_with(b"POST ")
    }

    /// The value of the first header of this name, which is compared without regard to case.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.bytes.split(|byte| *byte == b'\n').skip(1).find_map(|line| {
            let (found, rest) = line.split_at_checked(name.len())?;
            let value = rest.strip_prefix(b":")?;
            found.eq_ignore_ascii_case(name.as_bytes()).then(|| value.trim_ascii())
        })
    }

    /// What `Content-Length` says.
    pub fn content_length(&self) -> Option<u64> {
        std::str::from_utf8(self.header("content-length")?).ok()?.parse().ok()
    }

    /// The body that follows.
    pub fn body(&self) -> Result<Body, Malformed> {
        if let Some(left) = self.content_length() {
            return Ok(Body::Sized { left, seen: 0 });
        }
        let coding = self.header("transfer-encoding").ok_or(Malformed)?;
        if coding.eq_ignore_ascii_case(b"chunked") { Ok(Body::chunked()) } else { Err(Malformed) }
    }
}

impl Body {
    fn chunked() -> Self {
        Self::Chunked(Chunked { step: Step::Size, left: 0, seen: 0 })
    }

    /// Takes the bytes that came next.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        match self {
            Self::Sized { left, seen } => {
                let length = bytes.len() as u64;
                *left = left.checked_sub(length).ok_or(Malformed)?;
                *seen += length;
                Ok(())
            }
            Self::Chunked(chunked) => chunked.take(bytes),
        }
    }

    /// Whether the last byte was there.
    pub fn is_whole(&self) -> bool {
        match self {
            Self::Sized { left, .. } => *left == 0,
            Self::Chunked(chunked) => chunked.step == Step::Done,
        }
    }

    /// How many bytes there were, without framing.
    pub fn seen(&self) -> u64 {
        match self {
            Self::Sized { seen, .. } | Self::Chunked(Chunked { seen, .. }) => *seen,
        }
    }
}

impl Chunked {
    fn take(&mut self, mut bytes: &[u8]) -> Result<(), Malformed> {
        while let Some((first, rest)) = bytes.split_first() {
            if self.step == Step::Data {
                let now = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
                self.left -= now as u64;
                self.seen += now as u64;
                bytes = &bytes[now..];
                if self.left == 0 {
                    self.step = Step::DataEnd;
                }
                continue;
            }
            self.step = self.after(*first)?;
            bytes = rest;
        }
        Ok(())
    }

    /// The step after a byte that is not data.
    fn after(&mut self, byte: u8) -> Result<Step, Malformed> {
        match (self.step, byte) {
            (Step::Size | Step::Extension | Step::DataEnd | Step::Trailer(_), b'\r') => Ok(self.step),
            (Step::Size | Step::Extension, b'\n') if self.left == 0 => Ok(Step::Trailer(true)),
            (Step::Size | Step::Extension, b'\n') => Ok(Step::Data),
            (Step::Size, b';') | (Step::Extension, _) => Ok(Step::Extension),
            (Step::Size, digit) => {
                let digit = (digit as char).to_digit(16).ok_or(Malformed)?;
                self.left = self.left.checked_mul(16).ok_or(Malformed)? + u64::from(digit);
                Ok(Step::Size)
            }
            (Step::DataEnd, b'\n') => Ok(Step::Size),
            (Step::Trailer(true), b'\n') => Ok(Step::Done),
            (Step::Trailer(_), byte) => Ok(Step::Trailer(byte == b'\n')),
            (Step::DataEnd | Step::Data | Step::Done, _) => Err(Malformed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\nhi";
        assert!(Head::read(&bytes[..30]).is_none());
        let head = Head::read(bytes).unwrap();
        assert_eq!((head.len(), head.status(), head.content_length()), (bytes.len() - 2, Some(200), Some(2)));
        assert_eq!(head.header("x"), Some(&b"y"[..]));
        assert_eq!(head.header("content"), None);
    }

    #[test]
    fn a_sized_body_is_whole_at_its_last_byte() {
        let head = Head::read(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n").unwrap();
        let mut body = head.body().unwrap();
        body.take(b"abc").unwrap();
        assert!(!body.is_whole());
        body.take(b"d").unwrap();
        assert!(body.is_whole());
        assert_eq!(body.take(b"e"), Err(Malformed));
    }

    #[test]
    fn a_chunked_body_is_the_same_however_it_is_cut() {
        let bytes = b"5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: z\r\n\r\n";
        for cut in 0..bytes.len() {
            let mut body = Body::chunked();
            body.take(&bytes[..cut]).unwrap();
            assert!(!body.is_whole(), "whole after {cut} bytes");
            body.take(&bytes[cut..]).unwrap();
            assert!(body.is_whole());
            assert_eq!(body.seen(), 15);
        }
    }

    #[test]
    fn wrong_framing_is_refused() {
        assert_eq!(Body::chunked().take(b"x\r\n"), Err(Malformed));
        assert_eq!(Body::chunked().take(b"1\r\nab"), Err(Malformed));
        assert_eq!(Body::chunked().take(b"0\r\n\r\nmore"), Err(Malformed));
        let head = Head::read(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        assert!(head.body().is_err());
    }
}

//! The grammar: where the heads and bodies of HTTP/1.1 requests begin and end (RFC 9112), in its strictest form.
//!
//! A pure state machine over bytes. [`Framing::advance`] says how many of the bytes it is shown may go on; the rest is
//! shown again with more behind it. Refused is every form that two readers have been seen to read differently:
//!
//! | refused | who differed |
//! |---|---|
//! | `Content-Length` with `Transfer-Encoding`, or either twice | which one counts (CL.TE, TE.CL) |
//! | `Content-Length: +5`, `0x5`, `5, 5`, empty | lenient integer parsers |
//! | any transfer coding but `chunked` | `xchunked`, `chunked, identity` |
//! | a bare LF or CR in a head, white space before a colon, folded lines | where a line or a name ends |
//! | chunk extensions, trailers, chunk sizes of other than 1 to 8 hexadecimal digits | where a chunk begins |
//! | HTTP/1.0 and below | when a connection is kept |
//!
//! What must stay true: the machine knows at each byte whether it is head or body exactly as hyper does, because both
//! read the one accepted form.

/// Bytes of one head: above any real one, whose largest part is a token of 60 bytes and a session id of 1,500.
const MAX_HEAD_BYTES: usize = 32 * 1024;

/// Header lines of one head. Browsers and SDKs send 10 to 20, with 16 mirrored parameters.
const MAX_HEADER_LINES: usize = 64;

/// Digits of a `Content-Length`: 10^18 is beyond any bound that follows and still fits a `u64`.
const MAX_LENGTH_DIGITS: usize = 18;

/// Digits of a chunk's size: 4 GiB, beyond any body.
const MAX_CHUNK_DIGITS: u8 = 8;

/// How HTTP/2 begins (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Where in a connection the next byte stands.
#[derive(Debug)]
pub(crate) struct Framing {
    at: At,
    /// How many bytes of an incomplete head were searched for its end.
    searched: usize,
    /// Whether nothing was read yet, so that this may be HTTP/2.
    fresh: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Head,
    Body { left: u64 },
    ChunkSize { size: u64, digits: u8 },
    ChunkSizeLf { size: u64 },
    ChunkData { left: u64 },
    ChunkDataCr,
    ChunkDataLf,
    EndCr,
    EndLf,
    Http2,
}

/// Why bytes are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("the head is longer than {MAX_HEAD_BYTES} bytes or has more than {MAX_HEADER_LINES} lines")]
    HeadTooLarge,
    #[error("a line of the head does not end in CR LF, or holds a control character")]
    BadLine,
    #[error("the request line is not `METHOD target HTTP/1.1`")]
    BadRequestLine,
    #[error("a header line has no name directly before a colon, or is folded")]
    BadHeaderName,
    #[error("there is not exactly one Host")]
    BadHost,
    #[error("Content-Length is not one plain number")]
    BadLength,
    #[error("Transfer-Encoding is not exactly `chunked`")]
    BadTransferEncoding,
    #[error("both Content-Length and Transfer-Encoding are there")]
    TwoFramings,
    #[error("a chunk is not framed by its plain size")]
    BadChunk,
}

impl Framing {
    pub(crate) fn new() -> Self {
        Self { at: At::Head, searched: 0, fresh: true }
    }

    /// Whether the last bytes that went on belong to the body of a request that hyper is reading.
    pub(crate) fn is_in_body(&self) -> bool {
        !matches!(self.at, At::Head | At::Http2)
    }

    /// Whether this is HTTP/2, of which everything goes on.
    pub(crate) fn is_http2(&self) -> bool {
        self.at == At::Http2
    }

    /// How many of `bytes`, which follow those that went on before, may go on. A fault is found behind them.
    pub(crate) fn advance(&mut self, bytes: &[u8]) -> (usize, Result<(), Fault>) {
        let mut passed = 0;
        while passed < bytes.len() {
            match self.step(&bytes[passed..]) {
                Ok(0) => break,
                Ok(step) => passed += step,
                Err(fault) => return (passed, Err(fault)),
            }
        }
        (passed, Ok(()))
    }

    /// How many of `rest`, which is not empty, belong to the part that begins it; 0 while that is an incomplete head.
    fn step(&mut self, rest: &[u8]) -> Result<usize, Fault> {
        Ok(match self.at {
            At::Http2 => rest.len(),
            At::Head => self.head(rest)?,
            At::Body { left } => {
                let step = clamp(left, rest.len());
                let left = left - step as u64;
                self.at = if left == 0 { At::Head } else { At::Body { left } };
                step
            }
            At::ChunkData { left } => {
                let step = clamp(left, rest.len());
                let left = left - step as u64;
                self.at = if left == 0 { At::ChunkDataCr } else { At::ChunkData { left } };
                step
            }
            chunk => {
                self.at = chunk_frame(chunk, rest[0])?;
                1
            }
        })
    }

    /// The length of the head at the start of `bytes`, or 0 while it is incomplete.
    fn head(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        if self.fresh && bytes.starts_with(PREFACE) {
            self.at = At::Http2;
            return Ok(PREFACE.len());
        }
        if self.fresh && PREFACE.starts_with(bytes) {
            return Ok(0);
        }
        // The end may straddle what was searched before.
        let from = self.searched.saturating_sub(3);
        let Some(end) = bytes[from..].windows(4).position(|window| window == b"\r\n\r\n") else {
            self.searched = bytes.len();
            // A bare LF is refused at once: the head might otherwise never end.
            let pairs = bytes[from..].iter().zip(&bytes[from + 1..]);
            let bare =
                bytes[0] == b'\n' || pairs.into_iter().any(|pair| *pair.1 == b'\n' && *pair.0 != b'\r');
            return match (bare, bytes.len() > MAX_HEAD_BYTES) {
                (true, _) => Err(Fault::BadLine),
                (false, true) => Err(Fault::HeadTooLarge),
                (false, false) => Ok(0),
            };
        };
        let length = from + end + 4;
        if length > MAX_HEAD_BYTES {
            return Err(Fault::HeadTooLarge);
        }
        self.at = body_of(&bytes[..length - 2])?;
        self.searched = 0;
        self.fresh = false;
        Ok(length)
    }
}

/// How much of `available` bytes belongs to the `left` that are expected.
fn clamp(left: u64, available: usize) -> usize {
    usize::try_from(left).map_or(available, |left| left.min(available))
}

/// What follows the head whose lines, each with its CR LF, are `lines`.
fn body_of(lines: &[u8]) -> Result<At, Fault> {
    let mut rest = lines;
    request_line(next_line(&mut rest)?)?;
    let (mut host, mut length, mut chunked) = (false, None, false);
    let mut count = 0;
    while !rest.is_empty() {
        count += 1;
        let (name, value) = header(next_line(&mut rest)?)?;
        if name.eq_ignore_ascii_case(b"host") {
            if std::mem::replace(&mut host, true) {
                return Err(Fault::BadHost);
            }
        } else if name.eq_ignore_ascii_case(b"content-length") {
            if length.replace(number(value)?).is_some() {
                return Err(Fault::BadLength);
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding")
            && (!value.eq_ignore_ascii_case(b"chunked") || std::mem::replace(&mut chunked, true))
        {
            return Err(Fault::BadTransferEncoding);
        }
    }
    match (length, chunked) {
        _ if count > MAX_HEADER_LINES => Err(Fault::HeadTooLarge),
        _ if !host => Err(Fault::BadHost),
        (Some(_), true) => Err(Fault::TwoFramings),
        (None, true) => Ok(At::ChunkSize { size: 0, digits: 0 }),
        (None | Some(0), false) => Ok(At::Head),
        (Some(left), false) => Ok(At::Body { left }),
    }
}

/// Cuts the next line off, without its CR LF.
fn next_line<'b>(rest: &mut &'b [u8]) -> Result<&'b [u8], Fault> {
    let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).ok_or(Fault::BadLine)?;
    let (line, ending) = rest.split_at(end);
    *rest = ending.strip_prefix(b"\r\n").ok_or(Fault::BadLine)?;
    let control = |byte: &u8| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f;
    if line.iter().any(control) { Err(Fault::BadLine) } else { Ok(line) }
}

/// `METHOD SP target SP HTTP/1.1`, with single spaces and a target of visible ASCII. A target has no fragment (RFC 9112,
/// section 3.2): what one reader cuts off at the `#` is part of the path to another.
fn request_line(line: &[u8]) -> Result<(), Fault> {
    let in_target = |byte: &u8| byte.is_ascii_graphic() && *byte != b'#';
    let mut words = line.split(|byte| *byte == b' ');
    let (method, target, version) = (words.next(), words.next(), words.next());
    let good_method =
        method.is_some_and(|method| !method.is_empty() && method.iter().all(u8::is_ascii_uppercase));
    let good_target = target.is_some_and(|target| !target.is_empty() && target.iter().all(in_target));
    if good_method && good_target && version == Some(b"HTTP/1.1") && words.next().is_none() {
        return Ok(());
    }
    Err(Fault::BadRequestLine)
}

/// Name and trimmed value of a header line.
fn header(line: &[u8]) -> Result<(&[u8], &[u8]), Fault> {
    let colon = line.iter().position(|byte| *byte == b':').ok_or(Fault::BadHeaderName)?;
    let (name, value) = line.split_at(colon);
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    if name.is_empty() || !name.iter().all(token) {
        return Err(Fault::BadHeaderName);
    }
    Ok((name, value[1..].trim_ascii()))
}

fn number(text: &[u8]) -> Result<u64, Fault> {
    if text.is_empty() || text.len() > MAX_LENGTH_DIGITS || !text.iter().all(u8::is_ascii_digit) {
        return Err(Fault::BadLength);
    }
    Ok(text.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

/// One byte of what frames chunks.
fn chunk_frame(at: At, byte: u8) -> Result<At, Fault> {
    match (at, byte) {
        (At::ChunkSize { size, digits }, digit) if digit.is_ascii_hexdigit() && digits < MAX_CHUNK_DIGITS => {
            let value = char::from(digit).to_digit(16).expect("a hexadecimal digit has a value");
            Ok(At::ChunkSize { size: size * 16 + u64::from(value), digits: digits + 1 })
        }
        (At::ChunkSize { size, digits: 1.. }, b'\r') => Ok(At::ChunkSizeLf { size }),
        (At::ChunkSizeLf { size: 0 }, b'\n') => Ok(At::EndCr),
        (At::ChunkSizeLf { size }, b'\n') => Ok(At::ChunkData { left: size }),
        (At::ChunkDataCr, b'\r') => Ok(At::ChunkDataLf),
        (At::ChunkDataLf, b'\n') => Ok(At::ChunkSize { size: 0, digits: 0 }),
        (At::EndCr, b'\r') => Ok(At::EndLf),
        (At::EndLf, b'\n') => Ok(At::Head),
        _ => Err(Fault::BadChunk),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(bytes: &[u8]) -> Result<usize, Fault> {
        advanced(&mut Framing::new(), bytes)
    }

    fn advanced(framing: &mut Framing, bytes: &[u8]) -> Result<usize, Fault> {
        let (passed, fault) = framing.advance(bytes);
        fault.map(|()| passed)
    }

    fn with_headers(headers: &str) -> Vec<u8> {
        format!("POST /mcp/a HTTP/1.1\r\nhost: a\r\n{headers}\r\n").into_bytes()
    }

    #[test]
    fn c14_every_ambiguous_head_is_refused() {
        for (headers, fault) in [
            ("content-length: 5\r\ntransfer-encoding: chunked\r\n", Fault::TwoFramings),
            ("content-length: 5\r\ncontent-length: 5\r\n", Fault::BadLength),
            ("content-length: 5, 5\r\n", Fault::BadLength),
            ("content-length: +5\r\n", Fault::BadLength),
            ("content-length: 0x5\r\n", Fault::BadLength),
            ("content-length:\r\n", Fault::BadLength),
            ("content-length: 1234567890123456789\r\n", Fault::BadLength),
            ("transfer-encoding: xchunked\r\n", Fault::BadTransferEncoding),
            ("transfer-encoding: chunked, identity\r\n", Fault::BadTransferEncoding),
            ("transfer-encoding: gzip, chunked\r\n", Fault::BadTransferEncoding),
            ("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n", Fault::BadTransferEncoding),
            ("transfer-encoding: \x0bchunked\r\n", Fault::BadLine),
            ("content-length : 5\r\n", Fault::BadHeaderName),
            ("x: a\r\n folded\r\n", Fault::BadHeaderName),
            ("x: a\r\n\tfolded\r\n", Fault::BadHeaderName),
            ("x: a\ncontent-length: 5\r\n", Fault::BadLine),
            ("x: a\rcontent-length: 5\r\n", Fault::BadLine),
            ("x: a\0b\r\n", Fault::BadLine),
            ("host: b\r\n", Fault::BadHost),
            ("no colon\r\n", Fault::BadHeaderName),
            (": empty name\r\n", Fault::BadHeaderName),
        ] {
            assert_eq!(judged(&with_headers(headers)), Err(fault), "{headers:?}");
        }
    }

    #[test]
    fn c14_request_lines_with_two_readings_are_refused() {
        for line in [
            "POST /a HTTP/1.0",
            "POST /a HTTP/1.1 ",
            "POST  /a HTTP/1.1",
            "POST /a\tHTTP/1.1",
            "post /a HTTP/1.1",
            "POST /a",
            "\r\nPOST /a HTTP/1.1",
            "POST /ä HTTP/1.1",
            "POST /a HTTP/2.0",
        ] {
            assert!(judged(format!("{line}\r\nhost: a\r\n\r\n").as_bytes()).is_err(), "{line:?}");
        }
        assert_eq!(judged(b"POST / HTTP/1.1\r\n\r\n"), Err(Fault::BadHost));
        assert_eq!(judged(b"POST / HTTP/1.1\nhost: a\n\n"), Err(Fault::BadLine));
        assert_eq!(judged(b"\n"), Err(Fault::BadLine));
    }

    #[test]
    fn c14_chunks_have_a_plain_size_and_no_extension_or_trailer() {
        let head = with_headers("transfer-encoding: chunked\r\n");
        for body in [
            "5;x=y\r\nhello\r\n0\r\n\r\n",
            "+5\r\n",
            "0x5\r\n",
            " 5\r\n",
            "5 \r\n",
            "\r\n",
            "5\nhello",
            "5\r\nhello!",
        ] {
            assert_eq!(judged(&[&head, body.as_bytes()].concat()), Err(Fault::BadChunk), "{body:?}");
        }
        assert_eq!(judged(&[&head, &b"0\r\nx: y\r\n\r\n"[..]].concat()), Err(Fault::BadChunk));
        assert_eq!(judged(&[&head, &b"123456789\r\n"[..]].concat()), Err(Fault::BadChunk));
        let whole = [&head[..], b"5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n"].concat();
        assert_eq!(judged(&whole), Ok(whole.len()));
    }

    #[test]
    fn heads_wait_until_they_are_whole_and_bodies_do_not() {
        let request = with_headers("content-length: 10\r\n");
        for cut in 0..request.len() {
            assert_eq!(judged(&request[..cut]), Ok(0), "{cut}");
        }
        let begun = [&request[..], b"12345"].concat();
        let mut framing = Framing::new();
        assert_eq!(advanced(&mut framing, &begun), Ok(begun.len()));
        assert!(framing.is_in_body());
        assert_eq!(advanced(&mut framing, b"67890POST /x"), Ok(5));
        assert!(!framing.is_in_body());
    }

    #[test]
    fn what_stands_before_a_fault_goes_on() {
        let request = with_headers("content-length: 2\r\n");
        let bytes = [&request[..], b"ok", b"GET / HTTP/1.0\r\n\r\n"].concat();
        let passed = request.len() + 2;
        assert_eq!(Framing::new().advance(&bytes), (passed, Err(Fault::BadRequestLine)));
    }

    #[test]
    fn a_head_without_an_end_is_refused_at_its_bound() {
        let endless = [b"GET / HTTP/1.1\r\nx: ".to_vec(), vec![b'a'; MAX_HEAD_BYTES]].concat();
        assert_eq!(judged(&endless), Err(Fault::HeadTooLarge));
        let many = with_headers(&"x: y\r\n".repeat(MAX_HEADER_LINES + 1));
        assert_eq!(judged(&many), Err(Fault::HeadTooLarge));
    }

    #[test]
    fn http_2_passes_untouched_from_its_preface_on() {
        let mut framing = Framing::new();
        assert_eq!(advanced(&mut framing, &PREFACE[..10]), Ok(0));
        let begun = [PREFACE, b"\0\0\0\x04\0\n\n"].concat();
        assert_eq!(advanced(&mut framing, &begun), Ok(begun.len()));
        assert_eq!(judged(&[&with_headers("")[..], PREFACE].concat()), Err(Fault::BadRequestLine));
    }

    /// How much goes on of `bytes` in pieces of the given lengths, and whether a fault ends it. Which fault it is may
    /// depend on how much of a bad head was there to see.
    fn in_pieces(bytes: &[u8], lengths: &[usize]) -> (usize, bool) {
        let mut framing = Framing::new();
        let (mut shown, mut passed) = (0, 0);
        for length in lengths.iter().copied().chain([bytes.len()]) {
            shown = (shown + length).min(bytes.len());
            let (step, fault) = framing.advance(&bytes[passed..shown]);
            passed += step;
            if fault.is_err() {
                return (passed, true);
            }
        }
        (passed, false)
    }

    proptest::proptest! {
        /// C14: where the network cuts the bytes changes nothing about what goes on.
        #[test]
        fn c14_the_reading_does_not_depend_on_how_bytes_arrive(
            picks in proptest::collection::vec(0_usize..12, 0..6),
            lengths in proptest::collection::vec(1_usize..40, 0..40),
        ) {
            let parts: [&[u8]; 12] = [
                b"POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc",
                b"POST /a HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                b"GET / HTTP/1.1\r\nhost: a\r\n\r\n",
                b"GET / HTTP/1.1\nhost: a\n\n",
                b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
                b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3;x\r\n",
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                b"\r\n",
                b"\n",
                b"PRI",
                b"x",
                b"POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n",
            ];
            let bytes: Vec<u8> = picks.iter().flat_map(|pick| parts[*pick].iter().copied()).collect();
            proptest::prop_assert_eq!(in_pieces(&bytes, &lengths), in_pieces(&bytes, &[]));
        }
    }
}

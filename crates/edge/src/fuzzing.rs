//! The fuzz target of this crate as a plain function: it takes arbitrary bytes and panics when the strict reading of
//! HTTP/1.1 lets through what two servers could read differently.
//!
//! It runs under libFuzzer (`fuzz/`) and, over the committed corpus and bounded mutations, in `tests/corpus.rs`.

use crate::strict_http::framing::Framing;

/// A reader as servers have been seen to be: it takes LF for a line end, joins folded lines, skips chunk extensions.
#[derive(Clone, Copy)]
struct Lenient {
    /// Whether `Transfer-Encoding` beats `Content-Length`, and is recognised anywhere in its value.
    chunks_first: bool,
    /// Whether of two lengths the last counts.
    last_length: bool,
}

/// Where a request's head ends, and its body.
type Request = (usize, usize);

/// What of `bytes` goes on must not depend on how they arrive (FAULTS C14), and must have the same requests in it to
/// readers that resolve each ambiguity of HTTP/1.1 the other way. Returns whether there was at least one request, so
/// that a driver can tell a corpus that tests something.
///
/// # Panics
/// When it is not so.
pub fn http1_request(bytes: &[u8]) -> bool {
    let (passed, is_http2) = pass(bytes, bytes.len().max(1));
    for step in [1, 2, 7, 64] {
        assert_eq!(pass(bytes, step), (passed, is_http2), "in pieces of {step}");
    }
    if is_http2 {
        return false;
    }
    let accepted = &bytes[..passed];
    let one = Lenient { chunks_first: true, last_length: true }.requests(accepted);
    let other = Lenient { chunks_first: false, last_length: false }.requests(accepted);
    assert_eq!(one, other, "two readings of {:?}", String::from_utf8_lossy(accepted));
    !one.is_empty()
}

/// How much goes on of bytes that arrive in pieces of `step`, and whether they are HTTP/2.
fn pass(bytes: &[u8], step: usize) -> (usize, bool) {
    let mut framing = Framing::new();
    let (mut shown, mut passed) = (0, 0);
    while shown < bytes.len() {
        shown = (shown + step).min(bytes.len());
        let (more, fault) = framing.advance(&bytes[passed..shown]);
        passed += more;
        if fault.is_err() {
            break;
        }
    }
    (passed, framing.is_http2())
}

impl Lenient {
    /// The requests in `bytes`, of which the last may be incomplete.
    fn requests(self, bytes: &[u8]) -> Vec<Request> {
        let (mut requests, mut at) = (Vec::new(), 0);
        while at < bytes.len() {
            let Some(head) = head_end(&bytes[at..]) else { return requests };
            let body = self.body_end(&bytes[at..at + head], &bytes[at + head..]);
            requests.push((at + head, at + head + body));
            at += head + body;
        }
        requests
    }

    fn body_end(self, head: &[u8], rest: &[u8]) -> usize {
        let head = String::from_utf8_lossy(head).to_ascii_lowercase();
        let head = head.replace("\r\n", "\n").replace("\n ", " ").replace("\n\t", " ");
        let values = |name: &'static str| {
            let lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
            lines.filter(move |(own, _)| own.trim() == name).map(|(_, value)| value.trim())
        };
        let chunked = values("transfer-encoding").any(|value| value.contains("chunked"));
        let lengths: Vec<_> = values("content-length").flat_map(|value| value.split(',')).collect();
        let length = if self.last_length { lengths.last() } else { lengths.first() };
        match length.map(|length| lenient_number(length)) {
            Some(length) if !(chunked && self.chunks_first) => length.min(rest.len()),
            _ if chunked => chunks_end(rest),
            _ => 0,
        }
    }
}

/// The length of a head with its empty line, by LF alone.
fn head_end(bytes: &[u8]) -> Option<usize> {
    let mut end = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        end += line.len();
        if matches!(line, b"\n" | b"\r\n") && end > line.len() {
            return Some(end);
        }
    }
    None
}

/// A length as lenient parsers read it: with a sign, with white space, by its digits alone.
fn lenient_number(text: &str) -> usize {
    let digits = text.trim().trim_start_matches('+');
    let end = digits.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().unwrap_or(0)
}

/// The length of a chunked body with its trailers; all of `bytes` if it is incomplete.
fn chunks_end(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let Some(line) = bytes[at..].iter().position(|byte| *byte == b'\n') else { return bytes.len() };
        let text = String::from_utf8_lossy(&bytes[at..at + line]);
        let size = text.split(';').next().unwrap_or_default().trim().trim_start_matches("0x");
        let size = usize::from_str_radix(size, 16).unwrap_or(0);
        at += line + 1;
        if size == 0 {
            let empty = bytes[at..].split_inclusive(|byte| *byte == b'\n');
            let trailers =
                empty.scan((), |(), line| (line.trim_ascii() != b"").then_some(line.len())).sum::<usize>();
            let end = bytes[at + trailers..].iter().position(|byte| *byte == b'\n');
            return end.map_or(bytes.len(), |end| at + trailers + end + 1);
        }
        at = at.saturating_add(size);
        let Some(line) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n')) else {
            return bytes.len();
        };
        at += line + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two readers must be able to see what the target is there to find.
    #[test]
    fn the_readers_differ_where_servers_have_been_seen_to() {
        let readings = |framing: &str| {
            let head = format!("POST / HTTP/1.1\r\nhost: a\r\n{framing}\r\n\r\n");
            let bytes = [head.as_bytes(), b"0\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n"].concat();
            let one = Lenient { chunks_first: true, last_length: true }.requests(&bytes);
            (one, Lenient { chunks_first: false, last_length: false }.requests(&bytes))
        };
        for framing in [
            "content-length: 3\r\ntransfer-encoding: chunked",
            "content-length: 3\r\ntransfer-encoding: xchunked",
            "content-length: 3\r\ncontent-length: 0",
            "content-length: 3, 0",
            "content-length: 3\ntransfer-encoding: chunked",
            "content-length: 3\r\ntransfer-encoding:\r\n chunked",
        ] {
            let (one, other) = readings(framing);
            assert_ne!(one, other, "{framing:?}");
        }
        for framing in ["content-length: 5", "transfer-encoding: chunked", "x: y"] {
            let (one, other) = readings(framing);
            assert_eq!(one, other, "{framing:?}");
        }
    }
}

//! The normal form of a resource URI (RFC 3986, section 6.2.2), required before a glob may match it.
//!
//! A glob such as `file:///srv/docs/*` means a folder. Dot segments, encoded dots or slashes, backslashes, empty
//! segments and user information would let a URI match the glob and yet name something else to the server. So would what
//! only some readers take for one of these: a segment with parameters (`..;x`), a dot in an overlong or wide spelling, a
//! query or fragment that a server strips. A URI that carries any of it is refused, not rewritten: the bytes that are
//! decided are the bytes that are sent. A grant that needs such a URI names it exactly.

/// Whether `uri` is in normal form.
pub fn is_normal(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let scheme_ok = scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.'));
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"\\?#;".contains(&byte);
    if !scheme_ok || !rest.bytes().all(plain) {
        return false;
    }
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", rest),
    };
    !authority.contains(['@', '%']) && escapes_are_plain(path) && path_is_plain(path)
}

/// No `.` or `..` segment and no empty one, but for the last, which a trailing slash makes.
fn path_is_plain(path: &str) -> bool {
    let path = path.strip_prefix('/').unwrap_or(path);
    let last = path.split('/').count() - 1;
    path.split('/')
        .enumerate()
        .all(|(at, segment)| segment != "." && segment != ".." && (!segment.is_empty() || at == last))
}

/// Every `%` begins two hexadecimal digits that stand for a printable ASCII character, and for none of which the path is
/// made.
fn escapes_are_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%').all(|(at, _)| {
        let value = bytes
            .get(at + 1..at + 3)
            .filter(|hex| hex.iter().all(u8::is_ascii_hexdigit))
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let plain = |value: u8| matches!(value, b' '..=b'~') && !b"./\\%;?#".contains(&value);
        value.is_some_and(plain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_uri_is_normal() {
        for uri in [
            "file:///srv/docs/a.txt",
            "file:///srv/docs/",
            "https://example.com/a/b",
            "demo://resource/static/1",
            "urn:isbn:0451450523",
            "file:///a%20b",
        ] {
            assert!(is_normal(uri), "{uri}");
        }
    }

    #[test]
    fn a_uri_that_could_name_something_else_is_not() {
        for uri in [
            "file:///srv/docs/../../etc/passwd",
            "file:///srv/docs/%2e%2e/x",
            "file:///srv/docs%2f..%2fx",
            "file:///srv/docs/./x",
            "file:///srv//docs",
            "file:///srv\\docs",
            "https://user@example.com/",
            "https://%65xample.com/",
            "file:///a%",
            "file:///a%zz",
            "file:///a%2525",
            "FILE:///a",
            "no-scheme",
            "file:///pub/..;/x",
            "file:///pub/a;b",
            "file:///pub/%c0%ae%c0%ae/x",
            "file:///pub/%3f",
            "file:///pub/\u{ff0e}\u{ff0e}/x",
            "file:///pub/a?x=/../..",
            "file:///pub/a#/../",
            "file:///a\nb",
        ] {
            assert!(!is_normal(uri), "{uri}");
        }
    }
}

//! Upstream servers: the MCP servers behind the gateway, and the origin their secrets are bound to.

use std::{fmt, sync::Arc};

use crate::{credential, name::name_id};

name_id! {
    /// The id of an upstream server: the `<server>` in `/mcp/<server>/`. Never reused, also not after a removal, because a
    /// grant names it.
    Id
}

/// The longest URL of a server, in bytes, its port written out.
pub const MAX_URL_BYTES: usize = 2048;

/// An upstream server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its id.
    pub id: Id,
    /// Where it answers, used exactly as configured.
    pub endpoint: Endpoint,
    /// Whether calls may go to it.
    pub status: Status,
    /// The credential that is attached to its calls, if it wants one.
    pub credential: Option<credential::Id>,
}

/// Whether calls may go to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Calls go to it.
    Enabled,
    /// No call goes to it, for now.
    Disabled,
    /// It is gone for good; the id stays taken.
    Removed,
}

/// Scheme, host and port: what a secret is bound to (RFC 6454, section 4).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(Arc<str>);

/// The URL of a server, split where the gateway needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `https://host:port`, with the port always written out.
    pub origin: Origin,
    /// Path and query, beginning with `/`.
    pub path: Arc<str>,
}

/// Why a text is no endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnEndpoint {
    /// The scheme is neither `https` nor `http`.
    #[error("the URL of a server begins with https:// (or http:// inside a private network)")]
    Scheme,
    /// The authority part is not `host` or `host:port` in canonical form.
    #[error("the URL needs a lower-case host, optionally with a port, and no user name or password")]
    Authority,
    /// The path carries what two readers could understand differently.
    #[error("the path of the URL carries a space, a control character, a backslash or a fragment")]
    Path,
    /// It is longer than [`MAX_URL_BYTES`].
    #[error("the URL has more than {MAX_URL_BYTES} bytes")]
    TooLong,
}

impl Origin {
    /// The origin as text, for example `https://api.example.com:443`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether bytes to it are protected by TLS.
    pub fn is_tls(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// The host, without the brackets of an IPv6 literal.
    pub fn host(&self) -> &str {
        let authority = self.authority();
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.authority()
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse().ok())
            .expect("an origin is made only with its port written out")
    }

    /// `host:port`, as the `Host` header wants it when the port is not the scheme's own.
    pub fn authority(&self) -> &str {
        self.0.split_once("://").map_or("", |(_, authority)| authority)
    }
}

impl Endpoint {
    /// Reads a URL. Hosts are compared as bytes later, so only the canonical lower-case ASCII form is accepted.
    pub fn parse(url: &str) -> Result<Self, NotAnEndpoint> {
        if url.len() > MAX_URL_BYTES {
            return Err(NotAnEndpoint::TooLong);
        }
        let (scheme, default_port, rest) = match url.split_once("://") {
            Some(("https", rest)) => ("https", 443, rest),
            Some(("http", rest)) => ("http", 80, rest),
            _ => return Err(NotAnEndpoint::Scheme),
        };
        let (authority, path) = match rest.find(['/', '?', '#']) {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let path = if path.starts_with('?') { format!("/{path}") } else { path.to_owned() };
        let (host, port) = split_authority(authority, default_port).ok_or(NotAnEndpoint::Authority)?;
        let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#' | b'"' | b'<' | b'>');
        if !path.starts_with('/') || !path.bytes().all(plain) {
            return Err(NotAnEndpoint::Path);
        }
        let endpoint = Self { origin: Origin(format!("{scheme}://{host}:{port}").into()), path: path.into() };
        // With its port written out it is longer, and that is the form which is stored and read again.
        if endpoint.url().len() > MAX_URL_BYTES { Err(NotAnEndpoint::TooLong) } else { Ok(endpoint) }
    }

    /// The whole URL.
    pub fn url(&self) -> String {
        format!("{}{}", self.origin, self.path)
    }
}

/// Splits `host[:port]`, refusing user names, empty labels and anything but canonical hosts.
fn split_authority(authority: &str, default_port: u16) -> Option<(&str, u16)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let end = rest.find(']')?;
            let (host, after) = authority.split_at(end + 2);
            let inner = &host[1..host.len() - 1];
            if inner.parse::<std::net::Ipv6Addr>().ok()?.to_string() != inner {
                return None;
            }
            (host, after.strip_prefix(':').or(after.is_empty().then_some(""))?)
        }
        None => {
            let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
            let label = |label: &str| {
                !label.is_empty()
                    && label.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
            };
            if host.len() > 253 || !host.split('.').all(label) {
                return None;
            }
            (host, port)
        }
    };
    if port.is_empty() {
        return (!authority.ends_with(':')).then_some((host, default_port));
    }
    if port.starts_with('0') || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((host, port.parse().ok()?))
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_has_its_port_written_out_and_its_path_kept() {
        for (url, origin, path) in [
            ("https://api.example.com/mcp", "https://api.example.com:443", "/mcp"),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000", "/"),
            ("https://a.example/mcp/?x=1", "https://a.example:443", "/mcp/?x=1"),
            ("https://a.example?x=1", "https://a.example:443", "/?x=1"),
            ("http://[::1]:8080/", "http://[::1]:8080", "/"),
        ] {
            let endpoint = Endpoint::parse(url).expect(url);
            assert_eq!((endpoint.origin.as_str(), &*endpoint.path), (origin, path));
        }
        let local = Endpoint::parse("http://[::1]:8080/").expect("an endpoint").origin;
        assert_eq!((local.host(), local.port(), local.is_tls()), ("::1", 8080, false));
    }

    #[test]
    fn the_written_out_form_of_an_endpoint_reads_back() {
        let longest = "https://a.example/".len() + ":443".len();
        for (padding, fits) in [(MAX_URL_BYTES - longest, true), (MAX_URL_BYTES - longest + 1, false)] {
            let endpoint = Endpoint::parse(&format!("https://a.example/{}", "x".repeat(padding)));
            assert_eq!(endpoint.is_ok(), fits);
            if let Ok(endpoint) = endpoint {
                assert_eq!(Endpoint::parse(&endpoint.url()), Ok(endpoint));
            }
        }
    }

    #[test]
    fn an_endpoint_with_two_readings_is_refused() {
        for url in [
            "ftp://a.example/",
            "https://user:pass@a.example/",
            "https://A.example/",
            "https://a.example:0443/",
            "https://a..example/",
            "https://a.example:/",
            "https://[::0001]/",
            "https://a.example/a b",
            "https://a.example/#x",
            "https://a.example\\@b.example/",
            "https://",
        ] {
            assert!(Endpoint::parse(url).is_err(), "{url}");
        }
    }
}

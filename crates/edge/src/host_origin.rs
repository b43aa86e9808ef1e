//! Which hosts and origins a request may name: the defence against DNS rebinding (FAULTS E13).
//!
//! A page in a browser can be made to send requests to a loopback or private address under a name its author owns. Such
//! a request carries that name in `Host` and the page's origin in `Origin`, so both have to be listed. On a loopback
//! listener the names of loopback are listed from the start; elsewhere nothing is. It is no authentication: a program
//! outside a browser writes what it likes, and still needs its token.

use std::net::IpAddr;

use http::{HeaderMap, Uri, header};

use crate::config::Config;

/// Why a request's host or origin is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HostRefused {
    /// No host, two of them, or something that is no host.
    #[error("the request needs exactly one valid Host")]
    Invalid,
    /// A host nobody listed.
    #[error(
        "this host is not served here; name it in `hosts` of the configuration, or use the name that is listed"
    )]
    HostNotListed,
    /// An origin nobody listed.
    #[error("requests from this origin are refused; name it in `origins` of the configuration to allow it")]
    OriginNotListed,
}

/// Checks the host and the origin of a request on a listener of which `on_loopback` says whether only this machine
/// reaches it.
pub(crate) fn check(
    config: &Config,
    on_loopback: bool,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<(), HostRefused> {
    let authority = authority_of(uri, headers)?;
    let host = host_of(authority).ok_or(HostRefused::Invalid)?;
    let listed = config.hosts.iter().any(|listed| listed == authority || listed == host);
    let local = on_loopback && is_loopback(host);
    if !(listed || local) {
        return Err(HostRefused::HostNotListed);
    }
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else { return Ok(()) };
    let origin = origin.to_str().ok().filter(|_| origins.next().is_none());
    let origin = origin.ok_or(HostRefused::OriginNotListed)?;
    let local = on_loopback && origin_host(origin).is_some_and(is_loopback);
    if local || config.origins.iter().any(|listed| listed == origin) {
        return Ok(());
    }
    Err(HostRefused::OriginNotListed)
}

/// The one authority of a request: HTTP/2 has it in `:authority`, HTTP/1.1 in `Host`; where both are, they agree.
fn authority_of<'r>(uri: &'r Uri, headers: &'r HeaderMap) -> Result<&'r str, HostRefused> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next().map(|host| host.to_str().map_err(|_| HostRefused::Invalid)).transpose()?;
    if hosts.next().is_some() {
        return Err(HostRefused::Invalid);
    }
    match (uri.authority().map(http::uri::Authority::as_str), host) {
        (Some(authority), Some(host)) if authority != host => Err(HostRefused::Invalid),
        (Some(authority), _) => Ok(authority),
        (None, Some(host)) => Ok(host),
        (None, None) => Err(HostRefused::Invalid),
    }
}

/// The host of `host` or `host:port`, an IPv6 address with its brackets; none if the text is neither.
fn host_of(authority: &str) -> Option<&str> {
    let after_brackets = authority.find(']').map_or(0, |end| end + 1);
    let (host, port) = match authority[after_brackets..].find(':') {
        Some(colon) => (&authority[..after_brackets + colon], Some(&authority[after_brackets + colon + 1..])),
        None => (authority, None),
    };
    let good_port = port
        .is_none_or(|port| (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit()));
    let good_host = match host.strip_prefix('[') {
        Some(address) => address.strip_suffix(']').is_some_and(|address| address.parse::<IpAddr>().is_ok()),
        None => {
            let label = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
            !host.is_empty() && host.bytes().all(label)
        }
    };
    (good_host && good_port).then_some(host)
}

fn origin_host(origin: &str) -> Option<&str> {
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"))?;
    host_of(authority)
}

fn is_loopback(host: &str) -> bool {
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || literal.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn checked(on_loopback: bool, host: &str, origin: Option<&str>) -> Result<(), HostRefused> {
        let config = Config {
            hosts: vec!["mcp.example.com".into(), "other.example.com:8443".into()],
            origins: vec!["https://tools.example.com".into()],
            ..Config::default()
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(host).expect("a value"));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_str(origin).expect("a value"));
        }
        check(&config, on_loopback, &Uri::from_static("/mcp/a"), &headers)
    }

    #[test]
    fn e13_only_listed_hosts_are_served() {
        for host in ["mcp.example.com", "mcp.example.com:1", "other.example.com:8443"] {
            assert_eq!(checked(false, host, None), Ok(()), "{host}");
        }
        for host in ["evil.example.com", "other.example.com:1", "127.0.0.1", "localhost", "[::1]:80"] {
            assert_eq!(checked(false, host, None), Err(HostRefused::HostNotListed), "{host}");
        }
        for host in ["127.0.0.1:7450", "localhost", "LOCALHOST:1", "[::1]:7450", "mcp.example.com"] {
            assert_eq!(checked(true, host, None), Ok(()), "{host}");
        }
        for host in ["localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1"] {
            assert_eq!(checked(true, host, None), Err(HostRefused::HostNotListed), "{host}");
        }
    }

    #[test]
    fn e13_only_listed_origins_may_send_requests() {
        let loopback = |origin| checked(true, "localhost", Some(origin));
        assert_eq!(loopback("http://localhost:6274"), Ok(()));
        assert_eq!(loopback("http://[::1]:6274"), Ok(()));
        assert_eq!(loopback("https://tools.example.com"), Ok(()));
        for origin in
            ["null", "https://evil.example", "http://localhost.evil.example", "https://tools.example.com:1"]
        {
            assert_eq!(loopback(origin), Err(HostRefused::OriginNotListed), "{origin}");
        }
        let listed = checked(false, "mcp.example.com", Some("https://tools.example.com"));
        assert_eq!(listed, Ok(()));
        let local = checked(false, "mcp.example.com", Some("http://localhost"));
        assert_eq!(local, Err(HostRefused::OriginNotListed));
    }

    #[test]
    fn c17_a_host_that_is_no_host_is_refused() {
        for host in ["a/../x?#", "a b", "a@b", "", "a:", "a:123456", "a:8x", "[::1", "[x]:1", "a%2e"] {
            assert_eq!(checked(true, host, None), Err(HostRefused::Invalid), "{host:?}");
        }
        let mut two = HeaderMap::new();
        two.append(header::HOST, HeaderValue::from_static("localhost"));
        two.append(header::HOST, HeaderValue::from_static("localhost"));
        let refused = check(&Config::default(), true, &Uri::from_static("/"), &two);
        assert_eq!(refused, Err(HostRefused::Invalid));
        let absolute = Uri::from_static("http://evil.example/mcp/a");
        let mut one = HeaderMap::new();
        one.append(header::HOST, HeaderValue::from_static("localhost"));
        assert_eq!(check(&Config::default(), true, &absolute, &one), Err(HostRefused::Invalid));
    }
}

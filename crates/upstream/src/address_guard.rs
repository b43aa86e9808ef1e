//! Which addresses may be dialled: the public internet, and what the node's own file opens.
//!
//! The judgement falls on the address a connection is made to, after resolving and for every connection anew, so a
//! name that answers differently the second time gains nothing (FAULTS D12, D13). A look at the URL alone
//! ([`AddressGuard::check_endpoint`]) only tells whoever adds a server early what would fail later. What must stay
//! true: metadata services are refused whatever the file says, and so is every class no server has an address in.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use authority::server::{Endpoint, Origin};
use http::Uri;

use crate::{
    address_class::{Class, classify},
    private_network::PrivateNetwork,
};

/// Judges addresses.
#[derive(Clone, Debug)]
pub struct AddressGuard {
    private: Vec<PrivateNetwork>,
}

/// Why no connection is made to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressRefused {
    /// Of a class that configuration may open, and it does not open this one.
    #[error(
        "{address} is {}; if it is meant to be reached, add its network to upstream.private_networks in the node's file and restart (dev reaches loopback and the internet only)",
        .class.name()
    )]
    NotOpened {
        /// The address.
        address: SocketAddr,
        /// What it is.
        class: Class,
    },
    /// Of a class that is never a server's.
    #[error("{address} is {}, which is never dialled", .class.name())]
    Never {
        /// The address.
        address: SocketAddr,
        /// What it is.
        class: Class,
    },
    /// `http://` leaves a private network.
    #[error("http:// to {address} would send the secret in the clear over the internet; use https://")]
    PlainText {
        /// The address.
        address: SocketAddr,
    },
}

/// Why a URL can be refused before it is resolved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointRefused {
    /// It names an address that is not dialled.
    #[error(transparent)]
    Address(#[from] AddressRefused),
    /// The host is a number in a form that some resolvers take for an IPv4 address.
    #[error("{host:?} is an IPv4 address in disguise; write it as four decimal numbers")]
    DisguisedAddress {
        /// The host.
        host: String,
    },
    /// `http://` is for private networks, and this node opens none.
    #[error("http:// is for private networks, and this node's file opens none; use https://")]
    PlainText,
    /// The path has a character that no request line may carry (RFC 9112, section 3.2).
    #[error("the path has a character that HTTP does not carry; percent-encode it")]
    Path,
}

impl AddressGuard {
    /// A guard that opens `private` beside the public internet.
    pub fn new(private: Vec<PrivateNetwork>) -> Self {
        Self { private }
    }

    /// Whether a connection may be made to `address`, with TLS or without.
    pub fn judge(&self, address: SocketAddr, tls: bool) -> Result<(), AddressRefused> {
        match classify(address.ip()) {
            Class::Public if tls => Ok(()),
            Class::Public => Err(AddressRefused::PlainText { address }),
            class if !class.may_be_opened() => Err(AddressRefused::Never { address, class }),
            _ if self.private.iter().any(|network| network.holds(address)) => Ok(()),
            class => Err(AddressRefused::NotOpened { address, class }),
        }
    }

    /// What can be said of a URL before it is resolved: an answer of `Ok` promises nothing about the address it will
    /// resolve to.
    pub fn check_endpoint(&self, endpoint: &Endpoint) -> Result<(), EndpointRefused> {
        Uri::try_from(&*endpoint.path).map_err(|_| EndpointRefused::Path)?;
        self.check_origin(&endpoint.origin)
    }

    pub(crate) fn check_origin(&self, origin: &Origin) -> Result<(), EndpointRefused> {
        let host = origin.host();
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(self.judge(SocketAddr::new(ip, origin.port()), origin.is_tls())?);
        }
        if is_disguised_address(host) {
            return Err(EndpointRefused::DisguisedAddress { host: host.to_owned() });
        }
        if !origin.is_tls() && self.private.is_empty() {
            return Err(EndpointRefused::PlainText);
        }
        Ok(())
    }
}

/// Whether a host that is no IPv4 address in canonical form ends in a number (WHATWG URL, "ends in a number checker").
/// Browsers and `inet_aton` read such hosts as addresses, and no name on the internet looks so.
fn is_disguised_address(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or(host);
    let digits = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    let hex = last.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    (digits || hex) && host.parse::<Ipv4Addr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(private: &[&str]) -> AddressGuard {
        AddressGuard::new(private.iter().map(|text| text.parse().expect(text)).collect())
    }

    fn check(guard: &AddressGuard, url: &str) -> Result<(), EndpointRefused> {
        guard.check_endpoint(&Endpoint::parse(url).expect(url))
    }

    /// D12: without a word in the node's file nothing but the public internet is dialled.
    #[test]
    fn d12_addresses_inside_are_refused_by_default() {
        let guard = guard(&[]);
        for host in [
            "127.0.0.1",
            "[::1]",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "[fe80::1]",
            "[fc00::1]",
            "[::ffff:127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "0.0.0.0",
            "100.64.0.1",
            "[2002:7f00:1::]",
            "[::127.0.0.1]",
            "255.255.255.255",
            "224.0.0.1",
            "198.18.0.1",
            "192.0.2.1",
            "[fec0::1]",
        ] {
            // Not every spelling is canonical, and then the endpoint itself is refused earlier.
            let Ok(endpoint) = Endpoint::parse(&format!("https://{host}/")) else { continue };
            assert!(guard.check_endpoint(&endpoint).is_err(), "{host}");
        }
        assert_eq!(check(&guard, "https://93.184.216.34/"), Ok(()));
        assert_eq!(check(&guard, "https://api.example.com/mcp"), Ok(()));
    }

    /// D12: octal, hexadecimal, decimal and short forms of IPv4 addresses.
    #[test]
    fn d12_disguised_addresses_are_refused() {
        let guard = guard(&["127.0.0.0/8"]);
        for host in
            ["2130706433", "0x7f000001", "017700000001", "127.1", "0x7f.1", "0177.0.0.1", "1.2.3.4.5", "0x"]
        {
            let refused = EndpointRefused::DisguisedAddress { host: host.to_owned() };
            assert_eq!(check(&guard, &format!("https://{host}/")), Err(refused));
        }
        assert_eq!(check(&guard, "https://a.example/`"), Err(EndpointRefused::Path));
        assert!(Endpoint::parse("https://localhost./").is_err(), "a host has one spelling");
    }

    #[test]
    fn a_private_network_is_reached_at_its_ports_and_nowhere_else() {
        let guard = guard(&["10.1.0.0/16:8443"]);
        assert_eq!(check(&guard, "https://10.1.2.3:8443/"), Ok(()));
        assert_eq!(check(&guard, "http://10.1.2.3:8443/"), Ok(()));
        let address = SocketAddr::from(([10, 1, 2, 3], 443));
        let refused = AddressRefused::NotOpened { address, class: Class::Private };
        assert_eq!(guard.judge(address, true), Err(refused));
    }

    /// D12: a metadata service stays shut whatever the file opens.
    #[test]
    fn d12_no_configuration_opens_a_metadata_service_or_a_class_without_servers() {
        let guard = guard(&["0.0.0.0/0", "[::]/0"]);
        for text in [
            "169.254.169.254:80",
            "100.100.100.200:80",
            "168.63.129.16:80",
            "[fd00:ec2::254]:80",
            "169.254.1.1:80",
            "0.0.0.0:80",
            "224.0.0.1:80",
            "255.255.255.255:80",
            "[::ffff:10.0.0.1]:80",
            "[fe80::1]:80",
        ] {
            let address = text.parse().expect(text);
            let class = classify(SocketAddr::ip(&address));
            assert_eq!(guard.judge(address, true), Err(AddressRefused::Never { address, class }), "{text}");
        }
        assert_eq!(guard.judge("10.9.9.9:1".parse().expect("an address"), false), Ok(()));
    }

    #[test]
    fn plain_http_stays_inside_private_networks() {
        let address = SocketAddr::from(([93, 184, 216, 34], 80));
        assert_eq!(guard(&["0.0.0.0/0"]).judge(address, false), Err(AddressRefused::PlainText { address }));
        assert_eq!(check(&guard(&[]), "http://mcp.internal/"), Err(EndpointRefused::PlainText));
        assert_eq!(check(&guard(&["10.0.0.0/8"]), "http://mcp.internal/"), Ok(()));
    }
}

//! Who is on the other side, for the record: the address of the connection, or the one a trusted proxy names.
//!
//! Anybody can write `X-Forwarded-For`, so it is believed only when it comes from a network that the configuration
//! lists, and then from the right: the last address that no trusted proxy has. What must stay true: no decision rests
//! on the address.

use std::{net::IpAddr, str::FromStr};

use http::HeaderMap;

use crate::config::Config;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The most addresses that are looked at in a chain of proxies. Real chains have two or three.
const MAX_HOPS: usize = 16;

/// A network of addresses (RFC 4632, RFC 4291 section 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    address: IpAddr,
    prefix: u8,
}

/// Why a text is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a network: write an address and a prefix length, such as 10.0.0.0/8 or fd00::/8")]
pub struct NotACidr {
    /// The refused text, cut to 80 characters.
    pub text: String,
}

impl Cidr {
    /// Whether `address` lies in the network. An IPv4 address in IPv6 form counts as the IPv4 address it is.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
                u32::from(network) & mask == u32::from(address) & mask
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
                u128::from(network) & mask == u128::from(address) & mask
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl FromStr for Cidr {
    type Err = NotACidr;

    fn from_str(text: &str) -> Result<Self, NotACidr> {
        let refused = || NotACidr { text: text.chars().take(80).collect() };
        let (address, prefix) = text.split_once('/').ok_or_else(refused)?;
        let address: IpAddr = address.parse().map_err(|_| refused())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let plain = prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = prefix.parse().ok().filter(|prefix| plain && *prefix <= longest).ok_or_else(refused)?;
        Ok(Self { address, prefix })
    }
}

/// The address to record for a request that came over a connection from `connected`.
pub(crate) fn of_request(config: &Config, connected: IpAddr, headers: &HeaderMap) -> IpAddr {
    let mut peer = connected.to_canonical();
    let named = headers.get_all(FORWARDED_FOR).iter().rev();
    let named = named.flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
    for hop in named.take(MAX_HOPS) {
        if !config.trusts(peer) {
            break;
        }
        match hop.trim().parse::<IpAddr>() {
            Ok(address) => peer = address.to_canonical(),
            Err(_) => break,
        }
    }
    peer
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_network_contains_its_addresses_and_no_other() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("10.1.2.3/32", "10.1.2.3", "10.1.2.4"),
            ("0.0.0.0/0", "203.0.113.9", "::1"),
            ("fd00::/8", "fdff::1", "fe00::1"),
            ("10.0.0.0/8", "::ffff:10.0.0.1", "::10.0.0.1"),
        ] {
            let network: Cidr = network.parse().expect("a network");
            assert!(network.contains(ip(inside)), "{network:?} {inside}");
            assert!(!network.contains(ip(outside)), "{network:?} {outside}");
        }
        for text in ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0.0/", "a/8", "::/129"] {
            assert!(text.parse::<Cidr>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_up_to_the_first_stranger() {
        let config =
            Config { trusted_proxies: vec!["10.0.0.0/8".parse().expect("a network")], ..Config::default() };
        let peer = |connected: &str, forwarded: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append(FORWARDED_FOR, HeaderValue::from_str(value).expect("a value"));
            }
            of_request(&config, ip(connected), &headers).to_string()
        };
        assert_eq!(peer("192.0.2.1", &["203.0.113.9"]), "192.0.2.1");
        assert_eq!(peer("10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(peer("10.0.0.1", &["1.1.1.1, 203.0.113.9, 10.0.0.2"]), "203.0.113.9");
        assert_eq!(peer("10.0.0.1", &["203.0.113.9", "10.0.0.2"]), "203.0.113.9");
        assert_eq!(peer("10.0.0.1", &["unknown"]), "10.0.0.1");
        assert_eq!(peer("10.0.0.1", &[]), "10.0.0.1");
    }
}

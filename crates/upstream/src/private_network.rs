//! A network beyond the public internet that a node's own file opens: a range of addresses and the ports in it.
//!
//! Only the file of the node can open one, never the admin API, so that nobody who may add servers can look around
//! inside. What must stay true: a range whose address has bits below its prefix is refused, because its author meant
//! something else.

use std::{fmt, net::IpAddr, net::SocketAddr, str::FromStr};

/// A range of addresses and the ports in it, written `10.1.0.0/16` (every port) or `10.1.0.0/16:443,8443`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateNetwork {
    network: IpAddr,
    prefix: u32,
    /// None at all means every port.
    ports: Vec<u16>,
}

/// Why a text is no private network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a private network: write the first address of the range, its prefix length and, if only some \
     ports may be reached, those, as in 10.1.0.0/16 or [fd12::]/64:443,8443"
)]
pub struct NotAPrivateNetwork {
    /// The refused text, cut to 80 characters.
    pub text: String,
}

impl PrivateNetwork {
    /// This machine, at every port: what `portcullis dev` opens.
    pub fn loopback() -> Self {
        Self { network: IpAddr::from([127, 0, 0, 0]), prefix: 8, ports: Vec::new() }
    }

    /// Whether the range and its ports hold `address`.
    pub fn holds(&self, address: SocketAddr) -> bool {
        let port = self.ports.is_empty() || self.ports.contains(&address.port());
        port && match (self.network, address.ip()) {
            (IpAddr::V4(network), IpAddr::V4(ip)) => {
                self.prefix == 0 || (network.to_bits() ^ ip.to_bits()) >> (32 - self.prefix) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(ip)) => {
                self.prefix == 0 || (network.to_bits() ^ ip.to_bits()) >> (128 - self.prefix) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }

    fn read(text: &str) -> Option<Self> {
        let (network, rest) = text.split_once('/')?;
        let (prefix, ports) = match rest.split_once(':') {
            Some((prefix, ports)) => (prefix, Some(ports)),
            None => (rest, None),
        };
        let network = network.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(network);
        let network: IpAddr = network.parse().ok()?;
        let prefix: u32 = prefix.parse().ok()?;
        let below = match network {
            IpAddr::V4(ip) if prefix <= 32 => u128::from(ip.to_bits()) & ((1 << (32 - prefix)) - 1),
            IpAddr::V6(ip) if prefix <= 128 => {
                let host_bits = 1_u128.checked_shl(128 - prefix).map_or(u128::MAX, |top| top - 1);
                ip.to_bits() & host_bits
            }
            IpAddr::V4(_) | IpAddr::V6(_) => return None,
        };
        let ports = ports.map_or(Some(Vec::new()), |ports| {
            ports.split(',').map(|port| port.parse().ok().filter(|port| *port != 0)).collect()
        });
        (below == 0).then_some(Self { network, prefix, ports: ports? })
    }
}

impl FromStr for PrivateNetwork {
    type Err = NotAPrivateNetwork;

    fn from_str(text: &str) -> Result<Self, NotAPrivateNetwork> {
        Self::read(text).ok_or_else(|| NotAPrivateNetwork { text: text.chars().take(80).collect() })
    }
}

impl fmt::Display for PrivateNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.network {
            IpAddr::V4(network) => write!(f, "{network}/{}", self.prefix)?,
            IpAddr::V6(network) => write!(f, "[{network}]/{}", self.prefix)?,
        }
        for (index, port) in self.ports.iter().enumerate() {
            write!(f, "{}{port}", if index == 0 { ':' } else { ',' })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_reads_back_as_it_was_written() {
        for text in
            ["127.0.0.0/8", "10.1.0.0/16:443,8443", "0.0.0.0/0", "[fd12::]/64:80", "[::]/0", "10.0.0.1/32"]
        {
            assert_eq!(
                text.parse::<PrivateNetwork>().map(|network| network.to_string()).as_deref(),
                Ok(text)
            );
        }
        assert_eq!("127.0.0.0/8".parse(), Ok(PrivateNetwork::loopback()));
    }

    #[test]
    fn a_text_with_another_meaning_than_its_author_thought_is_refused() {
        for text in [
            "10.1.2.3/16",
            "10.0.0.0",
            "10.0.0.0/33",
            "10.0.0.0/8:",
            "10.0.0.0/8:0",
            "[fd12::1]/64",
            "x/8",
            "10.0.0.0/8:80,",
        ] {
            assert!(text.parse::<PrivateNetwork>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_network_holds_its_addresses_at_its_ports() {
        let network: PrivateNetwork = "10.1.0.0/16:443".parse().expect("a network");
        let holds = |text: &str| network.holds(text.parse().expect("an address"));
        assert!(holds("10.1.255.255:443"));
        assert!(!holds("10.2.0.0:443"));
        assert!(!holds("10.1.0.1:80"));
        assert!(!holds("[::ffff:10.1.0.1]:443"));
    }
}

//! Where a peer comes from, as far as bounds care: an IPv4 address, or the /64 that one IPv6 host has to itself.
//!
//! It is no identity, and no right rests on it. What must stay true: a host cannot look like many by taking other
//! addresses of its own network (FAULTS E04), nor by writing its IPv4 address in IPv6 form.

use std::net::{IpAddr, Ipv4Addr};

/// The bits of an IPv6 address that a host chooses for itself (RFC 4291, section 2.5.4).
const INTERFACE_BITS: u32 = 64;

/// The source of connections and requests that share one bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Network {
    /// One IPv4 address.
    V4(Ipv4Addr),
    /// The upper 64 bits of an IPv6 address.
    V6(u64),
}

impl Network {
    /// The network that `address` counts for.
    pub(crate) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => {
                let upper = u128::from(address) >> INTERFACE_BITS;
                Self::V6(u64::try_from(upper).expect("the lower half was shifted out"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(address: &str) -> Network {
        Network::of(address.parse().expect("an address"))
    }

    /// E04: rotating through a /64 is no way past a bound.
    #[test]
    fn e04_one_host_is_one_network_however_it_writes_its_address() {
        assert_eq!(of("2001:db8::1"), of("2001:db8:0:0:ffff::2"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}

//! What kind of network an IP address belongs to.
//!
//! A table over the special-purpose registries (RFC 6890 and what IANA added since) and the addresses at which clouds
//! hand out credentials. It decides nothing; [`crate::address_guard`] does. What must stay true: an address that no
//! row knows counts as public only if it is ordinary unicast space, IPv4 or `2000::/3`; and an IPv6 address that
//! carries an IPv4 address is a class of its own, because two routers may disagree about where it ends.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The kinds that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The open internet.
    Public,
    /// Where a cloud gives its machines their credentials.
    Metadata,
    /// This machine.
    Loopback,
    /// A private network (RFC 1918).
    Private,
    /// Shared between a carrier and its customers (RFC 6598).
    Shared,
    /// A private network of IPv6 (RFC 4193).
    UniqueLocal,
    /// Reserved for measurements (RFC 2544, RFC 5180).
    Benchmarking,
    /// This link only (RFC 3927, RFC 4291).
    LinkLocal,
    /// This site only; withdrawn (RFC 3879).
    SiteLocal,
    /// No address at all, or "this network" (RFC 1122).
    Unspecified,
    /// Many receivers.
    Multicast,
    /// Everybody on the link.
    Broadcast,
    /// For examples in documents.
    Documentation,
    /// An IPv4 address inside an IPv6 address: mapped, compatible, NAT64, 6to4, Teredo.
    Embedding,
    /// Set aside for protocols, or not assigned.
    Reserved,
}

/// AWS and most others; ECS tasks; EKS pods; Alibaba; Oracle; Azure's host, which has a public address.
const METADATA_V4: [Ipv4Addr; 6] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(169, 254, 170, 23),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
    Ipv4Addr::new(168, 63, 129, 16),
];

/// AWS, EKS pods, Google.
const METADATA_V6: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x23),
    Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x254),
];

/// The first row that holds an address decides.
const SPECIAL_V4: [(Ipv4Addr, u32, Class); 19] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, Class::Unspecified),
    (Ipv4Addr::new(10, 0, 0, 0), 8, Class::Private),
    (Ipv4Addr::new(100, 64, 0, 0), 10, Class::Shared),
    (Ipv4Addr::new(127, 0, 0, 0), 8, Class::Loopback),
    (Ipv4Addr::new(169, 254, 0, 0), 16, Class::LinkLocal),
    (Ipv4Addr::new(172, 16, 0, 0), 12, Class::Private),
    (Ipv4Addr::new(192, 0, 0, 0), 24, Class::Reserved),
    (Ipv4Addr::new(192, 0, 2, 0), 24, Class::Documentation),
    (Ipv4Addr::new(192, 31, 196, 0), 24, Class::Reserved),
    (Ipv4Addr::new(192, 52, 193, 0), 24, Class::Reserved),
    (Ipv4Addr::new(192, 88, 99, 0), 24, Class::Reserved),
    (Ipv4Addr::new(192, 168, 0, 0), 16, Class::Private),
    (Ipv4Addr::new(192, 175, 48, 0), 24, Class::Reserved),
    (Ipv4Addr::new(198, 18, 0, 0), 15, Class::Benchmarking),
    (Ipv4Addr::new(198, 51, 100, 0), 24, Class::Documentation),
    (Ipv4Addr::new(203, 0, 113, 0), 24, Class::Documentation),
    (Ipv4Addr::new(224, 0, 0, 0), 4, Class::Multicast),
    (Ipv4Addr::new(255, 255, 255, 255), 32, Class::Broadcast),
    (Ipv4Addr::new(240, 0, 0, 0), 4, Class::Reserved),
];

/// The first row that holds an address decides; what none holds is public inside `2000::/3` and reserved outside.
const SPECIAL_V6: [(Ipv6Addr, u32, Class); 19] = [
    (Ipv6Addr::UNSPECIFIED, 128, Class::Unspecified),
    (Ipv6Addr::LOCALHOST, 128, Class::Loopback),
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, Class::Embedding),
    (Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0), 96, Class::Embedding),
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0, 0, 0), 96, Class::Embedding),
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96, Class::Embedding),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48, Class::Embedding),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32, Class::Embedding),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, Class::Embedding),
    (Ipv6Addr::new(0x2001, 2, 0, 0, 0, 0, 0, 0), 48, Class::Benchmarking),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, Class::Reserved),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, Class::Documentation),
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48, Class::Reserved),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, Class::Documentation),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, Class::UniqueLocal),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, Class::LinkLocal),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, Class::SiteLocal),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, Class::Multicast),
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64, Class::Reserved),
];

/// The class of an address.
pub fn classify(address: IpAddr) -> Class {
    match address {
        IpAddr::V4(address) => classify_v4(address),
        IpAddr::V6(address) => classify_v6(address),
    }
}

impl Class {
    /// Whether a node's configuration may open addresses of this class. The others are never a server's.
    pub fn may_be_opened(self) -> bool {
        match self {
            Self::Loopback | Self::Private | Self::Shared | Self::UniqueLocal | Self::Benchmarking => true,
            Self::Public
            | Self::Metadata
            | Self::LinkLocal
            | Self::SiteLocal
            | Self::Unspecified
            | Self::Multicast
            | Self::Broadcast
            | Self::Documentation
            | Self::Embedding
            | Self::Reserved => false,
        }
    }

    /// The class in words, for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "a public address",
            Self::Metadata => "a metadata service of a cloud",
            Self::Loopback => "this machine itself",
            Self::Private => "a private network",
            Self::Shared => "a carrier's shared network",
            Self::UniqueLocal => "a unique-local network",
            Self::Benchmarking => "a benchmarking network",
            Self::LinkLocal => "a link-local address",
            Self::SiteLocal => "a site-local address",
            Self::Unspecified => "an unspecified address",
            Self::Multicast => "a multicast address",
            Self::Broadcast => "a broadcast address",
            Self::Documentation => "an address for documentation",
            Self::Embedding => "an ipv4 address inside an ipv6 address",
            Self::Reserved => "a reserved address",
        }
    }
}

fn classify_v4(address: Ipv4Addr) -> Class {
    if METADATA_V4.contains(&address) {
        return Class::Metadata;
    }
    let within = |network: Ipv4Addr, prefix: u32| {
        prefix == 0 || (address.to_bits() ^ network.to_bits()) >> (32 - prefix) == 0
    };
    let row = SPECIAL_V4.iter().find(|(network, prefix, _)| within(*network, *prefix));
    row.map_or(Class::Public, |(_, _, class)| *class)
}

fn classify_v6(address: Ipv6Addr) -> Class {
    if METADATA_V6.contains(&address) {
        return Class::Metadata;
    }
    let within = |network: Ipv6Addr, prefix: u32| {
        prefix == 0 || (address.to_bits() ^ network.to_bits()) >> (128 - prefix) == 0
    };
    let row = SPECIAL_V6.iter().find(|(network, prefix, _)| within(*network, *prefix));
    match row {
        Some((_, _, class)) => *class,
        None if address.segments()[0] & 0xe000 == 0x2000 => Class::Public,
        None => Class::Reserved,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(text: &str) -> Class {
        classify(text.parse().expect(text))
    }

    /// D12: every special range, at its first and last address.
    #[test]
    fn d12_special_ranges_are_known_from_end_to_end() {
        for (first, last, expected) in [
            ("0.0.0.0", "0.255.255.255", Class::Unspecified),
            ("10.0.0.0", "10.255.255.255", Class::Private),
            ("100.64.0.0", "100.127.255.255", Class::Shared),
            ("127.0.0.0", "127.255.255.255", Class::Loopback),
            ("169.254.0.0", "169.254.255.255", Class::LinkLocal),
            ("172.16.0.0", "172.31.255.255", Class::Private),
            ("192.0.2.0", "192.0.2.255", Class::Documentation),
            ("192.168.0.0", "192.168.255.255", Class::Private),
            ("198.18.0.0", "198.19.255.255", Class::Benchmarking),
            ("224.0.0.0", "239.255.255.255", Class::Multicast),
            ("240.0.0.0", "255.255.255.254", Class::Reserved),
            ("255.255.255.255", "255.255.255.255", Class::Broadcast),
            ("::", "::", Class::Unspecified),
            ("::1", "::1", Class::Loopback),
            ("::2", "::ffff:ffff", Class::Embedding),
            ("::ffff:0.0.0.0", "::ffff:255.255.255.255", Class::Embedding),
            ("64:ff9b::", "64:ff9b::ffff:ffff", Class::Embedding),
            ("2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", Class::Embedding),
            ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Class::Embedding),
            ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", Class::Documentation),
            ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Class::UniqueLocal),
            ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Class::LinkLocal),
            ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Class::SiteLocal),
            ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Class::Multicast),
        ] {
            assert_eq!((class(first), class(last)), (expected, expected), "{first} to {last}");
        }
    }

    #[test]
    fn neighbours_of_special_ranges_are_public() {
        for text in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "223.255.255.255",
            "2600::1",
            "2a00:1450:4001::1",
            "2001:4860:4860::8888",
        ] {
            assert_eq!(class(text), Class::Public, "{text}");
        }
    }

    #[test]
    fn ipv6_outside_global_unicast_is_not_public() {
        for text in ["1::1", "4000::1", "8000::1", "e000::1", "5f00::1"] {
            assert_eq!(class(text), Class::Reserved, "{text}");
        }
    }

    #[test]
    fn metadata_services_are_a_class_of_their_own_wherever_they_live() {
        for text in ["169.254.169.254", "100.100.100.200", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254"] {
            assert_eq!(class(text), Class::Metadata, "{text}");
            assert!(!Class::Metadata.may_be_opened());
        }
    }
}

//! Places for connections of one peer, so that no host can take all that the listener has.
//!
//! A peer is an address, or a /64 of IPv6, which is what one host is given. Nobody is known when a connection begins, so
//! the address is all there is to count by; behind a proxy it is the proxy's, which is why trusted ones are not counted.
//! What must stay true: the map holds peers with a connection and no others, so it is never larger than the listener's
//! bound.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::Arc,
};

use parking_lot::Mutex;

/// The host's part of an IPv6 address (RFC 4291, section 2.5.1).
const INTERFACE_BITS: u32 = 64;

/// The places of all peers.
#[derive(Debug)]
pub(crate) struct PeerPlaces {
    limit: u32,
    taken: Mutex<HashMap<IpAddr, u32>>,
}

/// A place that is taken. It is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct PeerPlace {
    places: Arc<PeerPlaces>,
    peer: IpAddr,
}

impl PeerPlaces {
    /// Places of which each peer may take `limit`.
    pub(crate) fn new(limit: NonZeroU32) -> Arc<Self> {
        Arc::new(Self { limit: limit.get(), taken: Mutex::default() })
    }

    /// A place for a connection from `address`, unless its peer has taken all of its own.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Option<PeerPlace> {
        let peer = peer_of(address);
        let mut taken = self.taken.lock();
        let own = taken.entry(peer).or_default();
        if *own == self.limit {
            return None;
        }
        *own += 1;
        Some(PeerPlace { places: Arc::clone(self), peer })
    }
}

impl Drop for PeerPlace {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock();
        let own = taken.get_mut(&self.peer).expect("a place is counted until it is dropped");
        *own -= 1;
        if *own == 0 {
            taken.remove(&self.peer);
        }
    }
}

/// What stands for the host with this address.
fn peer_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> INTERFACE_BITS << INTERFACE_BITS))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_cannot_take_the_places_of_another() {
        let places = PeerPlaces::new(NonZeroU32::MIN);
        let take = |address: &str| places.take(address.parse().expect("an address"));
        let first = take("192.0.2.1").expect("free");
        assert!(take("192.0.2.1").is_none() && take("::ffff:192.0.2.1").is_none());
        let other = take("192.0.2.2").expect("free for another");
        let six = take("2001:db8::1").expect("free");
        assert!(take("2001:db8::ffff:1:2:3").is_none(), "the same host");
        let next = take("2001:db8:0:1::1").expect("another network");
        drop(first);
        drop(take("192.0.2.1").expect("free again"));
        drop((other, six, next));
        assert!(places.taken.lock().is_empty());
    }
}

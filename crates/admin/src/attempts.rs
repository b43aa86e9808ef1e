//! How many wrong operator tokens are tried: a bucket for each network they come from, and one for all of them.
//!
//! Only tokens of the right form count, because only they cost a hash and could be a guess; a guess is hopeless
//! anyway, so this bounds work and noise. It must not become a lock that others turn: a token that opened the door
//! before is always tried, whatever its neighbours did, so that nobody can keep an operator from revoking by failing
//! in its name or from its address. It is recognised without hashing in earnest, by a keyed fingerprint.
//!
//! What must stay true: nothing here says whether a token is right; the memory is bounded whatever is sent.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use parking_lot::Mutex;
use seams::SharedClock;

use crate::network::Network;

/// What one network may fail: a script with an old token may retry a while, and then once in three seconds.
const PER_NETWORK: Rate = Rate { burst: 20, nanos_each: 3_000_000_000 };

/// What all together may fail, before only tokens that were right before are tried: ten in a second over time.
const ALTOGETHER: Rate = Rate { burst: 200, nanos_each: 100_000_000 };

/// The most networks remembered. A bucket is forgotten when it is full again, a minute after its last failure at the
/// latest, and in a minute all together can fail 800 times; so the bound is not reached while both rates hold.
const MAX_NETWORKS: usize = 1_024;

/// The most tokens remembered that were right: several times the operators of a large installation. Only a right
/// token gets in, so nobody else can push one out.
const MAX_WELCOME: usize = 256;

/// Counts failures, and says when there are too many.
pub(crate) struct Attempts {
    clock: SharedClock,
    fingerprints: RandomState,
    seen: Mutex<Seen>,
}

/// Too many wrong tokens were tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany {
    /// How long until the next one may be.
    pub(crate) wait: Duration,
}

struct Seen {
    altogether: Bucket,
    of_network: HashMap<Network, Bucket>,
    /// Fingerprints of tokens that were right, oldest first.
    welcome: VecDeque<u64>,
}

struct Rate {
    burst: u64,
    nanos_each: u64,
}

/// A token bucket (the generic cell rate algorithm), as the boot time in nanoseconds at which it is full again.
#[derive(Clone, Copy, Default)]
struct Bucket {
    full_at: u64,
}

impl Attempts {
    pub(crate) fn new(clock: SharedClock) -> Self {
        let seen =
            Seen { altogether: Bucket::default(), of_network: HashMap::new(), welcome: VecDeque::new() };
        Self { clock, fingerprints: RandomState::new(), seen: Mutex::new(seen) }
    }

    /// Whether `token` may be tried. What came by no socket has no network, and only counts with all the others.
    pub(crate) fn admit(&self, network: Option<Network>, token: &[u8]) -> Result<(), TooMany> {
        let (now, fingerprint) = (self.clock.boot_nanos(), self.fingerprints.hash_one(token));
        let seen = self.seen.lock();
        if seen.welcome.contains(&fingerprint) {
            return Ok(());
        }
        let here = network.and_then(|network| seen.of_network.get(&network)).copied().unwrap_or_default();
        match here.wait(&PER_NETWORK, now).max(seen.altogether.wait(&ALTOGETHER, now)) {
            0 => Ok(()),
            nanos => Err(TooMany { wait: Duration::from_nanos(nanos) }),
        }
    }

    /// The token was tried and is nobody's.
    pub(crate) fn failed(&self, network: Option<Network>, token: &[u8]) {
        let (now, fingerprint) = (self.clock.boot_nanos(), self.fingerprints.hash_one(token));
        let mut seen = self.seen.lock();
        seen.welcome.retain(|known| *known != fingerprint);
        seen.altogether.spend(&ALTOGETHER, now);
        if let Some(network) = network {
            seen.bucket(network, now).spend(&PER_NETWORK, now);
        }
    }

    /// The token was tried and is an operator's.
    pub(crate) fn succeeded(&self, token: &[u8]) {
        let fingerprint = self.fingerprints.hash_one(token);
        let mut seen = self.seen.lock();
        if seen.welcome.contains(&fingerprint) {
            return;
        }
        if seen.welcome.len() >= MAX_WELCOME {
            seen.welcome.pop_front();
        }
        seen.welcome.push_back(fingerprint);
    }
}

impl Seen {
    fn bucket(&mut self, network: Network, now: u64) -> &mut Bucket {
        if self.of_network.len() >= MAX_NETWORKS && !self.of_network.contains_key(&network) {
            self.of_network.retain(|_, bucket| bucket.full_at > now);
            if self.of_network.len() >= MAX_NETWORKS {
                let least = self.of_network.iter().min_by_key(|(_, bucket)| bucket.full_at);
                let least = *least.expect("there are as many as there may be").0;
                self.of_network.remove(&least);
            }
        }
        self.of_network.entry(network).or_default()
    }
}

impl Bucket {
    /// Nanoseconds until something may be spent.
    fn wait(self, rate: &Rate, now: u64) -> u64 {
        let spent = self.full_at.saturating_sub(now);
        spent.saturating_add(rate.nanos_each).saturating_sub(rate.burst * rate.nanos_each)
    }

    fn spend(&mut self, rate: &Rate, now: u64) {
        self.full_at = self.full_at.max(now).saturating_add(rate.nanos_each);
    }
}

#[cfg(test)]
mod tests {
    use std::{net::IpAddr, sync::Arc};

    use seams::ManualClock;

    use super::*;

    const WRONG: &[u8] = b"wrong";

    fn network(number: u32) -> Option<Network> {
        Some(Network::of(IpAddr::from(number.to_be_bytes())))
    }

    fn attempts() -> (Arc<ManualClock>, Attempts) {
        let clock = Arc::new(ManualClock::new(0));
        (Arc::clone(&clock), Attempts::new(clock))
    }

    /// Fails until no more is let through, and answers how often that was.
    fn exhaust(attempts: &Attempts, network: Option<Network>) -> u64 {
        let mut failures = 0;
        while attempts.admit(network, WRONG).is_ok() {
            attempts.failed(network, WRONG);
            failures += 1;
        }
        failures
    }

    #[test]
    fn e04_a_network_that_failed_too_often_waits_and_others_do_not() {
        let (clock, attempts) = attempts();
        assert_eq!(exhaust(&attempts, network(1)), PER_NETWORK.burst);
        assert_eq!(attempts.admit(network(1), WRONG), Err(TooMany { wait: Duration::from_secs(3) }));
        assert_eq!(attempts.admit(network(2), WRONG), Ok(()));
        clock.advance(Duration::from_secs(3));
        assert_eq!(exhaust(&attempts, network(1)), 1);
    }

    #[test]
    fn e04_spraying_from_many_networks_meets_the_bound_for_all() {
        let (clock, attempts) = attempts();
        let failures: u64 = (0..100).map(|number| exhaust(&attempts, network(number))).sum();
        assert_eq!(failures, ALTOGETHER.burst);
        assert_eq!(attempts.admit(network(200), WRONG), Err(TooMany { wait: Duration::from_millis(100) }));
        clock.advance(Duration::from_millis(100));
        assert_eq!(attempts.admit(network(200), WRONG), Ok(()));
    }

    /// E04: the limit is no way to lock an operator out, until its token is wrong itself.
    #[test]
    fn e04_a_token_that_was_right_is_tried_whatever_its_neighbours_did() {
        let (_clock, attempts) = attempts();
        attempts.succeeded(b"right");
        exhaust(&attempts, network(1));
        for number in 2..100 {
            exhaust(&attempts, network(number));
        }
        assert_eq!(attempts.admit(network(1), b"right"), Ok(()));
        attempts.failed(network(1), b"right");
        assert!(attempts.admit(network(1), b"right").is_err(), "it was revoked");
    }

    #[test]
    fn memory_is_bounded_however_many_networks_fail_and_tokens_succeed() {
        let (_clock, attempts) = attempts();
        for number in 0..3_000_u32 {
            attempts.failed(network(number), WRONG);
            attempts.succeeded(&number.to_be_bytes());
        }
        let seen = attempts.seen.lock();
        assert_eq!((seen.of_network.len(), seen.welcome.len()), (MAX_NETWORKS, MAX_WELCOME));
    }
}

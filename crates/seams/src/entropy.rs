//! Randomness: the operating system's for keys, tokens and ids, and a seeded one that replays a run.
//!
//! It is no general random-number library: it fills bytes and nothing more. A process that cannot get randomness
//! must not go on, because every fallback would be a guessable key.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Randomness shared by the parts of one node.
pub type SharedEntropy = Arc<dyn Entropy>;

/// Fills buffers with bytes that nobody can foresee (or, seeded, that the test foresees).
pub trait Entropy: Send + Sync + 'static {
    /// Overwrites all of `bytes`. Does not return if the host has no randomness to give.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's generator (`getrandom(2)`).
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

/// A generator that gives the same bytes for the same seed, for tests and the simulation.
///
/// It must never make a key, a token or an id in production: whoever knows some of its output knows the rest. It is
/// SplitMix64, chosen because it is a counter and so needs no lock.
#[derive(Debug)]
pub struct SeededEntropy {
    counter: AtomicU64,
}

/// The odd number next to 2^64 divided by the golden ratio, by which SplitMix64 steps.
const SPLITMIX_STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// `N` fresh bytes.
pub fn array<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is the seam that the ban points to")]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives randomness; without it no key may be made");
    }
}

impl SeededEntropy {
    /// A generator whose output is a function of `seed` and of the order of the calls.
    pub fn new(seed: u64) -> Self {
        Self { counter: AtomicU64::new(seed) }
    }

    fn next(&self) -> u64 {
        let mut mixed = self.counter.fetch_add(SPLITMIX_STEP, Ordering::Relaxed).wrapping_add(SPLITMIX_STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_entropy_does_not_repeat_itself() {
        let first: [u8; 32] = array(&SystemEntropy);
        let second: [u8; 32] = array(&SystemEntropy);
        assert_ne!(first, second);
        assert_ne!(first, [0; 32]);
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let (first, second) = (SeededEntropy::new(7), SeededEntropy::new(7));
        for _ in 0..10 {
            assert_eq!(array::<13>(&first), array::<13>(&second));
        }
    }

    #[test]
    fn different_seeds_give_different_bytes() {
        assert_ne!(array::<32>(&SeededEntropy::new(1)), array::<32>(&SeededEntropy::new(2)));
    }

    #[test]
    fn a_seeded_run_moves_on() {
        let entropy = SeededEntropy::new(0);
        assert_ne!(array::<32>(&entropy), array::<32>(&entropy));
    }

    /// The reference output of SplitMix64 for seed 0, so that a recorded seed replays in every later version.
    #[test]
    fn the_seeded_sequence_is_fixed_for_ever() {
        let entropy = SeededEntropy::new(0);
        assert_eq!(u64::from_le_bytes(array(&entropy)), 0xe220_a839_7b1d_cdaf);
        assert_eq!(u64::from_le_bytes(array(&entropy)), 0x6e78_9e6a_a1b9_65f4);
    }
}

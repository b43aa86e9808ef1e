//! What unit tests of this crate share: a keyring on a simulated disk.

use std::path::Path;

use keyring::Keyring;
use seams::{SeededEntropy, SimulatedDisk};

/// A keyring, always the same.
pub(crate) fn keyring() -> Keyring {
    Keyring::create(Path::new("/keys"), &SimulatedDisk::new(), &SeededEntropy::new(1))
        .expect("a simulated disk takes it")
}

//! The type of a secret value: an upstream credential, a key, a token.
//!
//! It cannot be printed, cloned, compared with `==`, serialised or put into another type's derived `Debug`; there is
//! no redacting form on purpose, because a secret that may stand in a log line will one day stand there unredacted.
//! What must stay true: the bytes leave only through [`Secret::expose`], and are wiped when the value is dropped.

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Secret bytes, wiped on drop.
pub struct Secret {
    bytes: Vec<u8>,
}

impl Secret {
    /// Takes the bytes over; the caller keeps no copy.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// The bytes themselves. Each caller is a place to look at when a secret has leaked, so keep them few, and copy
    /// them only into something that is wiped as well.
    pub fn expose(&self) -> &[u8] {
        &self.bytes
    }

    /// The length in bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are no bytes at all.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Compares in a time that depends on the lengths only, so that the answer's delay tells nothing of the bytes.
    pub fn same_as(&self, other: &[u8]) -> bool {
        self.bytes.ct_eq(other).into()
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl ZeroizeOnDrop for Secret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_gives_its_bytes_only_when_asked() {
        let secret = Secret::new(b"hunter2".to_vec());
        assert_eq!(secret.expose(), b"hunter2");
        assert_eq!((secret.len(), secret.is_empty()), (7, false));
    }

    #[test]
    fn comparison_is_exact() {
        let secret = Secret::new(b"hunter2".to_vec());
        assert!(secret.same_as(b"hunter2"));
        for other in [&b"hunter3"[..], b"hunter", b"hunter22", b""] {
            assert!(!secret.same_as(other));
        }
    }
}

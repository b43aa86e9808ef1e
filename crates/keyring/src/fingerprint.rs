//! Fingerprints of a call's arguments for the record.
//!
//! The record says whether two calls had the same arguments without keeping them. A plain hash would let a reader of
//! the record try likely arguments; under a key that only the cluster has, he cannot. What must stay true: the same
//! bytes give the same fingerprint on every node and for as long as the cluster lives.

use std::fmt;

use crate::keyring::Keyring;
use crate::symmetric::SymmetricKey;

const LABEL: &str = "argument fingerprint";

/// Makes fingerprints under the cluster's key.
pub struct ArgumentFingerprinter {
    key: SymmetricKey,
}

/// HMAC-SHA256 of a call's arguments, as they stood in the body.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ArgumentDigest([u8; 32]);

impl ArgumentFingerprinter {
    /// The fingerprint of the raw bytes of the arguments. Other spellings of the same JSON have other fingerprints:
    /// the record speaks of what was sent.
    pub fn digest(&self, arguments: &[u8]) -> ArgumentDigest {
        ArgumentDigest(self.key.mac(&[arguments]))
    }
}

impl ArgumentDigest {
    /// The 32 bytes, for the record.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for ArgumentDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ArgumentDigest({self})")
    }
}

/// Lower-case hexadecimal.
impl fmt::Display for ArgumentDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl Keyring {
    /// The maker of argument fingerprints of this cluster. Derive it once and keep it.
    pub fn argument_fingerprinter(&self) -> ArgumentFingerprinter {
        ArgumentFingerprinter { key: self.lasting().derive(LABEL) }
    }
}

#[cfg(test)]
mod tests {
    use crate::keyring::fixture::keyring;

    #[test]
    fn equal_arguments_have_equal_fingerprints_within_a_cluster_only() {
        let fingerprinter = keyring(1).argument_fingerprinter();
        let digest = fingerprinter.digest(br#"{"path":"/etc"}"#);
        assert_eq!(digest, keyring(1).argument_fingerprinter().digest(br#"{"path":"/etc"}"#));
        assert_ne!(digest, fingerprinter.digest(br#"{"path": "/etc"}"#));
        assert_ne!(digest, keyring(2).argument_fingerprinter().digest(br#"{"path":"/etc"}"#));
        assert_eq!(digest.to_string().len(), 64);
    }
}

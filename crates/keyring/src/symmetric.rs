//! One symmetric key and the three things done with one: deriving, authenticating, sealing.
//!
//! Everything in this crate that encrypts does it here, so that the rule for nonces stands in one place. What must
//! stay true: a nonce is never used twice under one key for two different messages. Nonces are 192 bits wide and
//! random, which is enough on a healthy machine; because a cloned or restored machine may repeat its randomness, the
//! random part is also mixed with the message itself (as RFC 8937 hedges signatures), so that repeated randomness can
//! at worst produce the same ciphertext for the same message.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use seams::entropy::{self, Entropy};
use sha2::Sha256;
use zeroize::Zeroize;

use crate::secret::Secret;

/// Bytes of a key.
pub(crate) const KEY_BYTES: usize = 32;
/// Bytes of a nonce of XChaCha20.
pub(crate) const NONCE_BYTES: usize = 24;
/// Bytes that a ciphertext is longer than its plaintext (the Poly1305 tag).
pub(crate) const TAG_BYTES: usize = 16;

/// Stands before every label, so that a key of another program derived from the same bytes would differ.
const LABEL_PREFIX: &str = "portcullis/v1/";

/// A 256-bit key, wiped on drop. Behind a pointer, so that moving it leaves no copy on the stack.
pub(crate) struct SymmetricKey {
    bytes: Box<[u8; KEY_BYTES]>,
}

impl SymmetricKey {
    /// A fresh key.
    pub(crate) fn random(entropy: &dyn Entropy) -> Self {
        let mut key = Self::zeroed();
        entropy.fill(&mut key.bytes[..]);
        key
    }

    /// The key with these bytes, or nothing if there are not exactly [`KEY_BYTES`].
    pub(crate) fn copy_of(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != KEY_BYTES {
            return None;
        }
        let mut key = Self::zeroed();
        key.bytes.copy_from_slice(bytes);
        Some(key)
    }

    pub(crate) fn expose(&self) -> &[u8; KEY_BYTES] {
        &self.bytes
    }

    /// The key for one purpose: HKDF-Expand of RFC 5869 with SHA-256, the label as `info` and one block of output.
    /// The extract step may be left out because every key here is uniformly random (section 3.3).
    pub(crate) fn derive(&self, label: &str) -> Self {
        let mut block = self.mac(&[LABEL_PREFIX.as_bytes(), label.as_bytes(), &[1]]);
        let key = Self::copy_of(&block).expect("a block of HMAC-SHA256 is as long as a key");
        block.zeroize();
        key
    }

    /// HMAC-SHA256 over the parts, one after the other. A key that derives others is used for nothing else, and a key
    /// used with several parts has all but one of them at a fixed length or prefixed by it.
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> [u8; KEY_BYTES] {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.bytes[..])
            .expect("HMAC takes a key of any length");
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// Encrypts and authenticates `plaintext`, bound to `aad`, with XChaCha20-Poly1305.
    pub(crate) fn seal(
        &self,
        aad: &[u8],
        plaintext: &[u8],
        entropy: &dyn Entropy,
    ) -> ([u8; NONCE_BYTES], Vec<u8>) {
        let nonce = self.hedged_nonce(aad, plaintext, entropy);
        let ciphertext = self
            .cipher()
            .encrypt(&XNonce::from(nonce), Payload { msg: plaintext, aad })
            .expect("a message in memory is shorter than the 256 GiB that the cipher takes");
        (nonce, ciphertext)
    }

    /// The plaintext, or nothing if anything at all differs from what was sealed.
    pub(crate) fn open(&self, aad: &[u8], nonce: &[u8; NONCE_BYTES], ciphertext: &[u8]) -> Option<Secret> {
        let plaintext =
            self.cipher().decrypt(&XNonce::from(*nonce), Payload { msg: ciphertext, aad }).ok()?;
        Some(Secret::new(plaintext))
    }

    fn hedged_nonce(&self, aad: &[u8], plaintext: &[u8], entropy: &dyn Entropy) -> [u8; NONCE_BYTES] {
        let random: [u8; NONCE_BYTES] = entropy::array(entropy);
        let aad_len = (aad.len() as u64).to_be_bytes();
        let mixed = self.derive("nonce").mac(&[&random, &aad_len, aad, plaintext]);
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(&mixed[..NONCE_BYTES]);
        nonce
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.bytes).into())
    }

    fn zeroed() -> Self {
        Self { bytes: Box::new([0; KEY_BYTES]) }
    }
}

impl Drop for SymmetricKey {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use seams::SeededEntropy;

    use super::*;

    fn key(seed: u64) -> SymmetricKey {
        SymmetricKey::random(&SeededEntropy::new(seed))
    }

    #[test]
    fn a_sealed_message_opens_only_with_its_key_and_its_aad() {
        let (nonce, ciphertext) = key(1).seal(b"aad", b"message", &SeededEntropy::new(9));
        assert_eq!(ciphertext.len(), b"message".len() + TAG_BYTES);
        assert!(key(1).open(b"aad", &nonce, &ciphertext).is_some_and(|opened| opened.expose() == b"message"));
        assert!(key(2).open(b"aad", &nonce, &ciphertext).is_none());
        assert!(key(1).open(b"other", &nonce, &ciphertext).is_none());
        assert!(key(1).open(b"aad", &nonce, &ciphertext[1..]).is_none());
        assert!(key(1).open(b"aad", &nonce, b"").is_none());
    }

    /// D23: a cloned machine repeats its randomness; two different messages must still not share a nonce.
    #[test]
    fn d23_repeated_randomness_does_not_repeat_a_nonce() {
        let clone = || SeededEntropy::new(5);
        let (nonce, _) = key(1).seal(b"aad", b"first", &clone());
        assert_ne!(nonce, key(1).seal(b"aad", b"other", &clone()).0);
        assert_ne!(nonce, key(1).seal(b"AAD", b"first", &clone()).0);
        assert_ne!(nonce, key(1).seal(b"aadf", b"irst", &clone()).0);
        assert_eq!(nonce, key(1).seal(b"aad", b"first", &clone()).0);
    }

    #[test]
    fn labels_derive_different_keys() {
        assert_ne!(key(1).derive("a").expose(), key(1).derive("b").expose());
        assert_ne!(key(1).derive("a").expose(), key(2).derive("a").expose());
        assert_eq!(key(1).derive("a").expose(), key(1).derive("a").expose());
    }

    /// RFC 4231, test case 2. Its key is four bytes; HMAC pads a short key with zeros, so it may be padded here too.
    #[test]
    fn mac_is_hmac_sha256_over_the_concatenated_parts() {
        let mut padded = [0; KEY_BYTES];
        padded[..4].copy_from_slice(b"Jefe");
        let mac = SymmetricKey::copy_of(&padded).unwrap().mac(&[b"what do ya want ", b"for nothing?"]);
        let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn a_key_has_exactly_its_length() {
        assert!(SymmetricKey::copy_of(&[7; KEY_BYTES - 1]).is_none());
        assert!(SymmetricKey::copy_of(&[7; KEY_BYTES + 1]).is_none());
        assert!(SymmetricKey::copy_of(&[7; KEY_BYTES]).is_some());
    }
}

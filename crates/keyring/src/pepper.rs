//! Token hashes: what is stored and looked up in place of a token.
//!
//! HMAC-SHA256 under a key of the cluster (the pepper): tokens carry 256 random bits, so a slow password hash would
//! add nothing, and without the pepper a stolen table of hashes cannot even be checked against a token. The pepper is
//! derived from the keyring's lasting key, so every node of the cluster has the same one without its being sent, and
//! neither a new root key nor a new key version invalidates the tokens that are out.

use crate::keyring::Keyring;
use crate::symmetric::SymmetricKey;
use crate::token::Token;

/// Bytes of a token hash.
pub const TOKEN_HASH_BYTES: usize = 32;

const LABEL: &str = "token pepper";

/// The cluster's key for token hashes.
pub struct Pepper {
    key: SymmetricKey,
}

impl Pepper {
    /// The hash under which `token` is stored. It covers the prefix, so the kinds have hashes of their own.
    ///
    /// The hash is no secret and may be compared and indexed plainly: looking up by it tells a caller nothing about
    /// any stored hash that he could steer towards (FAULTS E02).
    pub fn hash(&self, token: &Token) -> [u8; TOKEN_HASH_BYTES] {
        self.key.mac(&[token.expose()])
    }
}

impl Keyring {
    /// The pepper of this cluster. Derive it once and keep it.
    pub fn pepper(&self) -> Pepper {
        Pepper { key: self.lasting().derive(LABEL) }
    }
}

#[cfg(test)]
mod tests {
    use seams::SeededEntropy;

    use crate::keyring::fixture::keyring;
    use crate::token::{TokenKind, mint, parse};

    #[test]
    fn the_hash_depends_on_the_token_and_the_cluster_only() {
        let token = mint(TokenKind::Grant, &SeededEntropy::new(1));
        let other = mint(TokenKind::Grant, &SeededEntropy::new(2));
        let again = parse(token.reveal().as_bytes()).expect("it was just made");
        let pepper = keyring(1).pepper();

        assert_eq!(pepper.hash(&token), pepper.hash(&again));
        assert_eq!(pepper.hash(&token), keyring(1).pepper().hash(&token));
        assert_ne!(pepper.hash(&token), pepper.hash(&other));
        assert_ne!(pepper.hash(&token), keyring(2).pepper().hash(&token));
    }
}

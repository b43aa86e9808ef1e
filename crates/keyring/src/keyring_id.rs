//! The id of a keyring, by which key files and ciphertexts say where they belong.
//!
//! No secret, and no id of a cluster: it survives a restore into a new cluster, so that credentials still open there.
//! What must stay true: it has one spelling.

use std::fmt;
use std::str::FromStr;

use seams::Entropy;
use seams::entropy;
use thiserror::Error;

/// Which keyring: 16 random bytes, written as 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyringId([u8; 16]);

/// The text is not 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a keyring id is 32 lower-case hexadecimal digits")]
pub struct KeyringIdMalformed;

impl KeyringId {
    /// A fresh id.
    pub(crate) fn random(entropy: &dyn Entropy) -> Self {
        Self(entropy::array(entropy))
    }

    /// The id with these bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for KeyringId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyringId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyringId({self})")
    }
}

impl FromStr for KeyringId {
    type Err = KeyringIdMalformed;

    fn from_str(text: &str) -> Result<Self, KeyringIdMalformed> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(KeyringIdMalformed),
        };
        let digits: &[u8; 32] = text.as_bytes().try_into().map_err(|_| KeyringIdMalformed)?;
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let id = KeyringId::from_bytes([0x0f; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
        for wrong in ["", "0f", &"0F".repeat(16), &"0g".repeat(16), &"0f".repeat(17)] {
            assert_eq!(wrong.parse::<KeyringId>(), Err(KeyringIdMalformed));
        }
    }
}

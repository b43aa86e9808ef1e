//! Ids that follow from a request: a repeated request finds what its first try made, though the first answer was lost.
//!
//! The id is drawn from the request's own id under a key of the cluster, so it looks random to whoever chose the
//! request's id: nobody can aim at an id, and two kinds of resource never share one. What must stay true: the same
//! request gives the same id on every node and for as long as the cluster lives.

use crate::keyring::Keyring;
use crate::symmetric::SymmetricKey;

const LABEL: &str = "derived id";

/// Bytes of a derived id.
pub const DERIVED_ID_BYTES: usize = 16;

/// Derives ids under the cluster's key.
pub struct IdDeriver {
    key: SymmetricKey,
}

impl IdDeriver {
    /// The id of the resource of this `kind`, such as `grant`, that the request `request` makes.
    pub fn derive(&self, kind: &str, request: &[u8; 16]) -> [u8; DERIVED_ID_BYTES] {
        // The request's id has a fixed length, so kind and id have one reading.
        let mac = self.key.mac(&[request, kind.as_bytes()]);
        *mac.first_chunk().expect("a MAC has 32 bytes")
    }
}

impl Keyring {
    /// The deriver of ids of this cluster. Derive it once and keep it.
    pub fn id_deriver(&self) -> IdDeriver {
        IdDeriver { key: self.lasting().derive(LABEL) }
    }
}

#[cfg(test)]
mod tests {
    use crate::keyring::fixture::keyring;

    #[test]
    fn an_id_depends_on_the_request_the_kind_and_the_cluster_only() {
        let ids = keyring(1).id_deriver();
        let id = ids.derive("grant", &[7; 16]);
        assert_eq!(id, keyring(1).id_deriver().derive("grant", &[7; 16]));
        assert_ne!(id, ids.derive("grant", &[8; 16]));
        assert_ne!(id, ids.derive("approval", &[7; 16]));
        assert_ne!(id, keyring(2).id_deriver().derive("grant", &[7; 16]));
    }
}

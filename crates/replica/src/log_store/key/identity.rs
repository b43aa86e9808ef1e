//! `01`: whose log this is, the same text that the identity file beside it holds. Written once, before anything else.

use crate::identity::{Identity, NotAnIdentity};

pub(in crate::log_store) const TAG: u8 = 0x01;

pub(in crate::log_store) fn encode(identity: &Identity) -> Vec<u8> {
    identity.to_text().into_bytes()
}

pub(in crate::log_store) fn decode(payload: &[u8]) -> Result<Identity, NotAnIdentity> {
    Identity::parse(payload)
}

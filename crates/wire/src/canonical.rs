//! Reading a stored message so that it has one encoding.
//!
//! Protobuf lets a reader skip fields it does not know. A skipped field of a stored message could be a restriction that a
//! newer version added, and dropping it would widen a right; so a message is written again after it is read, and
//! must give the same bytes.

use prost::Message;

use crate::malformed::{Flaw, Malformed};

/// Reads `bytes` as the message `what`, written exactly as this version writes it.
pub(crate) fn decode<M: Message + Default>(what: &'static str, bytes: &[u8]) -> Result<M, Malformed> {
    let message = M::decode(bytes).map_err(|error| Flaw::NotProtobuf(error).of(what))?;
    if message.encoded_len() != bytes.len() || message.encode_to_vec() != bytes {
        return Err(Flaw::NotCanonical.of(what));
    }
    Ok(message)
}

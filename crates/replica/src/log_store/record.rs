//! The envelope of every value in the log store: the CRC-32C of key and payload (four bytes, little-endian), then the
//! payload. The key is part of the sum, so that a record can neither change nor be found in another's place.

/// The bytes that the envelope adds.
const CHECKSUM_BYTES: usize = 4;

/// The largest value handed to sled: above it sled keeps values in files of their own, outside of what it syncs in
/// one piece. An entry is bounded below it by the proposer.
pub(super) const MAX_RECORD_BYTES: usize = 64 * 1024;

/// The value under `key` that holds `payload`.
pub(super) fn seal(key: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(CHECKSUM_BYTES + payload.len());
    value.extend_from_slice(&checksum(key, payload).to_le_bytes());
    value.extend_from_slice(payload);
    value
}

/// The payload that `value` holds, or nothing if a bit of it, or its place, is not what was written.
pub(super) fn open<'value>(key: &[u8], value: &'value [u8]) -> Option<&'value [u8]> {
    let (sum, payload) = value.split_first_chunk::<CHECKSUM_BYTES>()?;
    (u32::from_le_bytes(*sum) == checksum(key, payload)).then_some(payload)
}

fn checksum(key: &[u8], payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(key), payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_opens_under_its_own_key_only() {
        let value = seal(b"one", b"payload");
        assert_eq!(open(b"one", &value), Some(&b"payload"[..]));
        assert_eq!(open(b"two", &value), None);
        assert_eq!(open(b"one", b"abc"), None);
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let value = seal(b"key", b"some payload");
        for bit in 0..value.len() * 8 {
            let mut flipped = value.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(b"key", &flipped), None, "bit {bit}");
        }
    }
}

//! Frames: how one record lies in a file. `[length u32][CRC-32C u32][payload]`, both numbers little-endian, the sum over
//! the length and the payload.
//!
//! The sum covers the length too, so that a stretch of zeros is no frame, and so that a damaged length is told from a
//! frame that was cut short. A frame is not encrypted and not signed: it guards against disks, not against people; the
//! chain and the archive's signatures do that. The archive's segments use the same frames.

/// Length and checksum.
pub const HEADER_BYTES: usize = 8;

/// What stands at one place of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read<'a> {
    /// A whole frame.
    Whole {
        /// What it carries.
        payload: &'a [u8],
        /// Where the next one begins.
        end: usize,
    },
    /// The end of the file.
    End,
    /// No whole frame.
    Bad(Defect),
}

/// Why there is no whole frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// The file ends before the frame does, by its length.
    #[error("the file ends inside it")]
    CutShort,
    /// The length is zero, or more than the reader allows.
    #[error("its length of {length} bytes is impossible")]
    Length {
        /// The length it states.
        length: u32,
    },
    /// The checksum is not that of the length and the payload.
    #[error("its checksum does not match")]
    Checksum,
}

/// Appends a frame around `payload`.
///
/// # Panics
/// If the payload has 4 GiB or more; callers have far smaller bounds.
pub fn push(out: &mut Vec<u8>, payload: &[u8]) {
    let length = u32::try_from(payload.len()).expect("a payload is bounded far below 4 GiB");
    let length = length.to_le_bytes();
    out.extend_from_slice(&length);
    out.extend_from_slice(&checksum(length, payload).to_le_bytes());
    out.extend_from_slice(payload);
}

/// The bytes a frame around `payload_bytes` takes.
pub fn size(payload_bytes: usize) -> u64 {
    (HEADER_BYTES + payload_bytes) as u64
}

/// Reads the frame at `at`, whose payload has at most `max_payload` bytes.
pub fn read(bytes: &[u8], at: usize, max_payload: usize) -> Read<'_> {
    let rest = bytes.get(at..).unwrap_or_default();
    if rest.is_empty() {
        return Read::End;
    }
    let Some((length, sum)) = header(rest) else { return Read::Bad(Defect::CutShort) };
    let stated = u32::from_le_bytes(length);
    let payload_bytes = usize::try_from(stated).unwrap_or(usize::MAX);
    if payload_bytes == 0 || payload_bytes > max_payload {
        return Read::Bad(Defect::Length { length: stated });
    }
    let Some(payload) = rest.get(HEADER_BYTES..HEADER_BYTES + payload_bytes) else {
        return Read::Bad(Defect::CutShort);
    };
    if checksum(length, payload) != sum {
        return Read::Bad(Defect::Checksum);
    }
    Read::Whole { payload, end: at + HEADER_BYTES + payload_bytes }
}

/// Whether `rest` begins with a frame that is whole but for one flipped bit in its length.
pub(crate) fn is_whole_but_for_its_length(rest: &[u8]) -> bool {
    let Some((length, sum)) = header(rest) else { return false };
    (0..u32::BITS).any(|bit| {
        let length = u32::from_le_bytes(length) ^ (1 << bit);
        let payload_bytes = usize::try_from(length).unwrap_or(usize::MAX);
        let payload = rest.get(HEADER_BYTES..HEADER_BYTES.saturating_add(payload_bytes));
        payload.is_some_and(|payload| checksum(length.to_le_bytes(), payload) == sum)
    })
}

fn header(rest: &[u8]) -> Option<([u8; 4], u32)> {
    let header = rest.first_chunk::<HEADER_BYTES>()?;
    let [l0, l1, l2, l3, c0, c1, c2, c3] = *header;
    Some(([l0, l1, l2, l3], u32::from_le_bytes([c0, c1, c2, c3])))
}

fn checksum(length: [u8; 4], payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&length), payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_reads_back_and_the_next_begins_at_its_end() {
        let mut bytes = Vec::new();
        push(&mut bytes, b"one");
        push(&mut bytes, b"two");
        assert_eq!(read(&bytes, 0, 3), Read::Whole { payload: b"one", end: 11 });
        assert_eq!(read(&bytes, 11, 3), Read::Whole { payload: b"two", end: 22 });
        assert_eq!(read(&bytes, 22, 3), Read::End);
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let mut bytes = Vec::new();
        push(&mut bytes, b"a record");
        for at in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[at / 8] ^= 1 << (at % 8);
            assert!(matches!(read(&damaged, 0, 1 << 20), Read::Bad(_)), "bit {at}");
        }
    }

    #[test]
    fn zeros_and_cut_frames_are_no_frames() {
        assert_eq!(read(&[0; 64], 0, 64), Read::Bad(Defect::Length { length: 0 }));
        let mut bytes = Vec::new();
        push(&mut bytes, b"a record");
        for kept in 1..bytes.len() {
            assert_eq!(read(&bytes[..kept], 0, 64), Read::Bad(Defect::CutShort), "{kept} bytes");
        }
        assert_eq!(read(&bytes, 0, 7), Read::Bad(Defect::Length { length: 8 }));
    }

    #[test]
    fn a_damaged_length_is_told_from_a_cut() {
        let mut bytes = Vec::new();
        push(&mut bytes, b"a record");
        let whole = bytes.clone();
        bytes[1] ^= 1;
        assert!(is_whole_but_for_its_length(&bytes));
        assert!(!is_whole_but_for_its_length(&whole[..whole.len() - 1]));
    }
}

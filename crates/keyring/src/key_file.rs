//! The text form shared by the two key files: a title, `name value` lines, a checksum.
//!
//! Text, so that an operator can see which keyring a file belongs to and copy it by hand into a safe. What must stay
//! true: a file that was torn, cut or edited is recognised by its checksum and refused whole, and no error repeats
//! what stands in it.

use std::io;
use std::path::Path;

use seams::Disk;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::crc32::crc32;

/// The longest key file that is read: room for several hundred key versions of about 110 bytes each.
pub const MAX_KEY_FILE_BYTES: u64 = 64 * 1024;

const CHECKSUM: &str = "checksum ";

/// What is wrong with the content of a key file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyFileDamaged {
    /// More than [`MAX_KEY_FILE_BYTES`].
    #[error("it is longer than {MAX_KEY_FILE_BYTES} bytes")]
    TooLong,
    /// It does not begin with the line that such a file begins with.
    #[error("it does not begin with the line `{expected}`")]
    Title {
        /// That line.
        expected: &'static str,
    },
    /// The last line is no checksum, as in a file that was cut.
    #[error("its last line is not a checksum, so it was cut or never fully written")]
    NoChecksum,
    /// The checksum does not belong to the lines before it.
    #[error("its checksum does not match, so it was damaged or edited by hand")]
    Checksum,
    /// The lines are not the ones that such a file has, in their order.
    #[error("its `{field}` line is missing, out of place or malformed")]
    Field {
        /// The first word of the line.
        field: &'static str,
    },
}

/// Why a key file could not be read.
pub(crate) enum Unreadable {
    Io(io::Error),
    Damaged(KeyFileDamaged),
}

/// The text of a key file, wiped on drop because it may hold a key.
pub(crate) fn compose(title: &str, fields: &[(&str, &str)]) -> Zeroizing<String> {
    let len = title.len() + 1 + CHECKSUM.len() + 9;
    let len = len + fields.iter().map(|(name, value)| name.len() + value.len() + 2).sum::<usize>();
    // The whole capacity at once: a string that grows leaves its old bytes behind unwiped.
    let mut text = Zeroizing::new(String::with_capacity(len));
    text.push_str(title);
    text.push('\n');
    for (name, value) in fields {
        for piece in [name, " ", value, "\n"] {
            text.push_str(piece);
        }
    }
    let checksum = crc32(text.as_bytes());
    text.push_str(CHECKSUM);
    text.push_str(&format!("{checksum:08x}\n"));
    text
}

/// The fields of a key file's text, in order, if its title and checksum are right.
pub(crate) fn fields<'t>(
    title: &'static str,
    text: &'t [u8],
) -> Result<Vec<(&'t str, &'t str)>, KeyFileDamaged> {
    let wrong_title = KeyFileDamaged::Title { expected: title };
    let text = std::str::from_utf8(text).map_err(|_| wrong_title)?;
    let lines = text.strip_prefix(title).and_then(|rest| rest.strip_prefix('\n')).ok_or(wrong_title)?;
    let last =
        text.strip_suffix('\n').and_then(|text| text.rfind('\n')).ok_or(KeyFileDamaged::NoChecksum)? + 1;
    let checksum = text[last..].strip_prefix(CHECKSUM).ok_or(KeyFileDamaged::NoChecksum)?;
    if checksum != format!("{:08x}\n", crc32(&text.as_bytes()[..last])) {
        return Err(KeyFileDamaged::Checksum);
    }
    let body = &lines[..lines.len() - (text.len() - last)];
    Ok(body.lines().map(|line| line.split_once(' ').unwrap_or((line, ""))).collect())
}

/// Reads a whole key file, bounded.
pub(crate) fn read(disk: &dyn Disk, path: &Path) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
    if disk.len(path).map_err(Unreadable::Io)? > MAX_KEY_FILE_BYTES {
        return Err(Unreadable::Damaged(KeyFileDamaged::TooLong));
    }
    disk.read(path).map(Zeroizing::new).map_err(Unreadable::Io)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TITLE: &str = "a-title v1";

    #[test]
    fn fields_come_back_in_order() {
        let text = compose(TITLE, &[("first", "1"), ("second", "two words"), ("second", "again")]);
        let read = fields(TITLE, text.as_bytes());
        assert_eq!(read, Ok(vec![("first", "1"), ("second", "two words"), ("second", "again")]));
        assert_eq!(fields(TITLE, compose(TITLE, &[]).as_bytes()), Ok(vec![]));
    }

    #[test]
    fn the_capacity_is_exact() {
        let text = compose(TITLE, &[("first", "1"), ("second", "two")]);
        assert_eq!(text.len(), text.capacity());
    }

    #[test]
    fn every_cut_is_recognised() {
        let text = compose(TITLE, &[("first", "1"), ("second", "2")]);
        for len in 0..text.len() {
            assert!(fields(TITLE, &text.as_bytes()[..len]).is_err(), "cut to {len} bytes");
        }
    }

    #[test]
    fn every_flipped_bit_is_recognised() {
        let text = compose(TITLE, &[("first", "1"), ("second", "2")]);
        for position in 0..text.len() * 8 {
            let mut bytes = text.as_bytes().to_vec();
            bytes[position / 8] ^= 1 << (position % 8);
            assert!(fields(TITLE, &bytes).is_err(), "bit {position}");
        }
    }

    #[test]
    fn another_title_is_named() {
        let text = compose("another v1", &[]);
        assert_eq!(fields(TITLE, text.as_bytes()), Err(KeyFileDamaged::Title { expected: TITLE }));
        assert_eq!(fields(TITLE, b"a-title v1"), Err(KeyFileDamaged::Title { expected: TITLE }));
        assert_eq!(fields(TITLE, b"a-title v1\n"), Err(KeyFileDamaged::NoChecksum));
        assert_eq!(fields(TITLE, b"\xff\xfe"), Err(KeyFileDamaged::Title { expected: TITLE }));
    }
}

//! The fuzz target of this crate as a plain function: it takes arbitrary bytes and panics when a promise of recovery is
//! broken.
//!
//! It runs under libFuzzer (`fuzz/`) and, over the committed corpus and bounded mutations, in `tests/corpus.rs`.

use crate::scan::{Next, Scan};

/// Reads `bytes` as the newest segment of a log. What is left after a torn tail is cut must read the same, to its end.
/// Returns whether there was at least one record, so that a driver can tell a corpus that tests something.
///
/// # Panics
/// When what recovery keeps does not read back.
pub fn wal_segment_recover(bytes: &[u8]) -> bool {
    let Some((first, end)) = kept(bytes) else { return false };
    if let Some(end) = end {
        let again = kept(&bytes[..end]);
        assert_eq!(again, Some((first, Some(end))), "the kept part of a segment has one reading");
    }
    first > 0
}

/// How many records there are, and where a torn or whole segment ends; no end if it is damaged.
fn kept(bytes: &[u8]) -> Option<(usize, Option<usize>)> {
    let (_, mut scan) = Scan::begin(bytes).ok()??;
    let mut records = 0;
    loop {
        match scan.next() {
            Next::Record(found) => {
                assert_eq!(found.record, wire::record::decode(found.bytes).expect("it was just decoded"));
                records += 1;
            }
            Next::End => return Some((records, Some(bytes.len()))),
            Next::Torn { offset } => return Some((records, Some(offset))),
            Next::Damaged { .. } => return Some((records, None)),
        }
    }
}

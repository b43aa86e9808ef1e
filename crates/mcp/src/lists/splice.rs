//! Edits of a body by byte ranges, written out in one go.

use std::borrow::Cow;
use std::ops::Range;

/// Replacements in ascending order that do not overlap.
#[derive(Debug, Default)]
pub(super) struct Splices {
    pieces: Vec<(Range<usize>, With)>,
}

/// What stands in place of a range.
#[derive(Debug)]
enum With {
    /// These bytes.
    Bytes(Vec<u8>),
    /// These parts of the body itself, separated by commas.
    Runs(Vec<Range<usize>>),
}

impl Splices {
    /// Puts `bytes` in place of `range`, which lies behind every earlier one.
    pub(super) fn replace(&mut self, range: Range<usize>, bytes: Vec<u8>) {
        self.push(range, With::Bytes(bytes));
    }

    /// Leaves of `range`, which lies behind every earlier one, only `runs`, which lie in it.
    pub(super) fn keep_only(&mut self, range: Range<usize>, runs: Vec<Range<usize>>) {
        self.push(range, With::Runs(runs));
    }

    fn push(&mut self, range: Range<usize>, with: With) {
        debug_assert!(self.pieces.last().is_none_or(|(last, _)| last.end <= range.start));
        self.pieces.push((range, with));
    }

    /// The body with all edits made; the body itself if there are none.
    pub(super) fn apply(self, body: &[u8]) -> Cow<'_, [u8]> {
        if self.pieces.is_empty() {
            return Cow::Borrowed(body);
        }
        let mut out = Vec::with_capacity(body.len() + 32);
        let mut copied = 0;
        for (range, with) in self.pieces {
            out.extend_from_slice(&body[copied..range.start]);
            match with {
                With::Bytes(bytes) => out.extend_from_slice(&bytes),
                With::Runs(runs) => {
                    for (index, run) in runs.into_iter().enumerate() {
                        if index > 0 {
                            out.push(b',');
                        }
                        out.extend_from_slice(&body[run]);
                    }
                }
            }
            copied = range.end;
        }
        out.extend_from_slice(&body[copied..]);
        Cow::Owned(out)
    }
}

//! Takes the injected secret out of what a server answers, while it streams.
//!
//! Bytes pass at once, except a suffix that could be the beginning of a form of the secret; it waits for the next
//! chunk. An event of a stream ends in an empty line, with which no secret begins, so whole events are never delayed.
//! What must stay true: no form of the secret is emitted whole, wherever the chunks are cut; what holds none comes out
//! byte for byte; and where the chunks are cut makes no difference to what comes out.

use std::sync::Arc;

use bytes::Bytes;

use crate::secret_forms::SecretForms;

/// What stands where the secret stood.
pub const REDACTED: &[u8] = b"[redacted]";

/// The redactor of one body.
pub(crate) struct Redactor {
    forms: Arc<SecretForms>,
    /// The end of what came, which could be the beginning of a form.
    held: Vec<u8>,
    /// How many of the held bytes belong to a form that was replaced already: forms can overlap.
    covered: usize,
    found: u64,
}

impl Redactor {
    pub(crate) fn new(forms: Arc<SecretForms>) -> Self {
        Self { forms, held: Vec::new(), covered: 0, found: 0 }
    }

    /// How often the secret was found, each overlapping group counted once.
    pub(crate) fn found(&self) -> u64 {
        self.found
    }

    /// Takes the next chunk and gives what may pass now, which may be empty.
    pub(crate) fn push(&mut self, chunk: Bytes) -> Bytes {
        let text = self.joined(chunk);
        let until = self.forms.open_suffix(&text);
        let passed = self.pass(&text, until);
        self.held.extend_from_slice(&text[until..]);
        passed
    }

    /// The end of the body: what was held passes, if it did not become a form.
    pub(crate) fn finish(&mut self) -> Bytes {
        let text = self.joined(Bytes::new());
        self.pass(&text, text.len())
    }

    fn joined(&mut self, chunk: Bytes) -> Bytes {
        if self.held.is_empty() {
            return chunk;
        }
        self.held.extend_from_slice(&chunk);
        std::mem::take(&mut self.held).into()
    }

    /// What of `text` passes up to `until`; forms that begin later are left for the next call, which sees them again.
    fn pass(&mut self, text: &Bytes, until: usize) -> Bytes {
        let mut replaced: Option<Vec<u8>> = None;
        // Up to here `text` is dealt with: passed, or covered by a replacement.
        let mut done = self.covered;
        for form in self.forms.places(text).take_while(|form| form.start < until) {
            if form.start >= done {
                let out = replaced.get_or_insert_default();
                out.extend_from_slice(&text[done..form.start]);
                out.extend_from_slice(REDACTED);
                self.found += 1;
            }
            done = done.max(form.end);
        }
        self.covered = done.saturating_sub(until);
        let rest = done.min(until)..until;
        match replaced {
            None => text.slice(rest),
            Some(mut out) => {
                out.extend_from_slice(&text[rest]);
                out.into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &[u8] = b"hunter2-hunter2";

    /// Beginnings, forms and ends, from which texts are put together.
    const PIECES: &[&[u8]] = &[
        b"hunter2",
        b"-",
        SECRET,
        b"h",
        b"aHVudGVyMi1odW50ZXIy",
        b"\n\n",
        b"68756e746572322d68756e74657232",
        b"\\",
        b"hunter2\\u002",
        b"\\u002Dhunter2",
        b"&#104;",
        b"&",
    ];

    fn redact(chunks: &[&[u8]]) -> (Vec<u8>, u64) {
        let mut redactor = Redactor::new(Arc::new(SecretForms::new(SECRET)));
        let mut out = Vec::new();
        for chunk in chunks {
            out.extend_from_slice(&redactor.push(Bytes::copy_from_slice(chunk)));
        }
        out.extend_from_slice(&redactor.finish());
        (out, redactor.found())
    }

    /// D08: the secret is found wherever it is cut.
    #[test]
    fn d08_a_secret_split_at_any_boundary_never_passes() {
        let text = b"data: hunter2-hunter2\n\n";
        for at in 0..=text.len() {
            let (first, second) = text.split_at(at);
            assert_eq!(redact(&[first, second]), (b"data: [redacted]\n\n".to_vec(), 1), "split at {at}");
        }
        let single: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(redact(&single), (b"data: [redacted]\n\n".to_vec(), 1));
    }

    #[test]
    fn an_event_passes_at_once_and_without_a_copy() {
        let mut redactor = Redactor::new(Arc::new(SecretForms::new(SECRET)));
        let event = Bytes::from_static(b"data: {\"hunter\":2}\n\n");
        let passed = redactor.push(event.clone());
        assert_eq!((passed.as_ptr(), passed.len()), (event.as_ptr(), event.len()));
    }

    #[test]
    fn a_beginning_that_comes_to_nothing_passes_in_the_end() {
        let mut redactor = Redactor::new(Arc::new(SecretForms::new(SECRET)));
        assert_eq!(redactor.push(Bytes::from_static(b"a hunter2-")), "a ");
        assert_eq!(redactor.push(Bytes::from_static(b"x hunt")), "hunter2-x ");
        assert_eq!(redactor.finish(), "hunt");
        assert_eq!(redactor.found(), 0);
    }

    #[test]
    fn overlapping_secrets_leave_no_remainder() {
        // The second begins inside the first.
        assert_eq!(redact(&[b"<hunter2-hunter2-hunter2>"]), (b"<[redacted]>".to_vec(), 1));
        assert_eq!(redact(&[b"<hunter2-hunter2hunter2-hunter2>"]), (b"<[redacted][redacted]>".to_vec(), 2));
    }

    proptest! {
        /// D08: over texts made of pieces of the secret, the chunks make no difference, and the secret never passes.
        #[test]
        fn d08_chunks_make_no_difference(
            pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..12),
            cuts in proptest::collection::vec(1_usize..9, 0..60),
        ) {
            let text = pieces.concat();
            let mut chunks = Vec::new();
            let mut rest = &text[..];
            for cut in cuts {
                let (chunk, left) = rest.split_at(cut.min(rest.len()));
                chunks.push(chunk);
                rest = left;
            }
            chunks.push(rest);
            let whole = redact(&[&text]);
            prop_assert_eq!(&redact(&chunks), &whole);
            let forms = SecretForms::new(SECRET);
            prop_assert!(!forms.stand_in(&whole.0));
            if !forms.stand_in(&text) {
                prop_assert_eq!(whole.0, text);
            }
        }
    }
}

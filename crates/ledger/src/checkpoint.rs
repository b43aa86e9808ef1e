//! Checkpoints: the agreed head of the archive as a signed note (C2SP tlog-checkpoint over C2SP signed-note).
//!
//! ```text
//!   portcullis/<cluster>/archive
//!   <size>
//!   <root, base64>
//!   height <height>
//!   segment <name of the newest segment>
//!
//!   — <key name> <signature>
//! ```
//!
//! The last two lines of the text are extension lines; they let a verifier find the segments of a head with nothing but
//! the files and the key.

use authority::{archive::Head, name::Name};
use base64::{Engine, engine::general_purpose::STANDARD};
use keyring::{
    signed_note::{self, NoteNotSigned, NoteRefused},
    signing::{AuditSigner, VerifyingKey},
};

use crate::merkle::Hash;

/// What a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose archive: `portcullis/<cluster>/archive`.
    pub origin: String,
    /// How many leaves the tree has.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// Which head.
    pub height: u64,
    /// The segment that holds the newest leaves.
    pub segment: String,
}

/// Why bytes are no checkpoint of this archive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotACheckpoint {
    /// The note is not signed by the key.
    #[error("the signature does not hold")]
    Note(#[from] NoteRefused),
    /// The signed text is not that of a checkpoint.
    #[error("the signed text is no checkpoint")]
    Text,
}

impl Checkpoint {
    /// The checkpoint of `head`, of the archive of `cluster`.
    pub fn of(cluster: &Name, head: &Head) -> Self {
        Self {
            origin: origin(cluster),
            size: head.size,
            root: head.root,
            height: head.height,
            segment: head.segment.clone(),
        }
    }

    /// The signed note.
    pub fn sign(&self, signer: &AuditSigner) -> Result<String, NoteNotSigned> {
        signed_note::sign(&self.text(), signer)
    }

    /// Reads a signed note.
    pub fn verify(note: &[u8], key: &VerifyingKey) -> Result<Self, NotACheckpoint> {
        let text = signed_note::verify(note, key)?;
        let read = Self::read(text).filter(|read| read.text() == text);
        read.ok_or(NotACheckpoint::Text)
    }

    /// Reads a note without its signature, to find a segment by its height. It vouches for nothing.
    pub(crate) fn unverified(note: &[u8]) -> Option<Self> {
        let note = std::str::from_utf8(note).ok()?;
        Self::read(note.split_once("\n\n")?.0)
    }

    fn text(&self) -> String {
        let Self { origin, size, root, height, segment } = self;
        format!("{origin}\n{size}\n{}\nheight {height}\nsegment {segment}\n", STANDARD.encode(root))
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let origin = lines.next()?.to_owned();
        let size = lines.next()?.parse().ok()?;
        let root = STANDARD.decode(lines.next()?).ok()?.try_into().ok()?;
        let height = lines.next()?.strip_prefix("height ")?.parse().ok()?;
        let segment = lines.next()?.strip_prefix("segment ")?.to_owned();
        Some(Self { origin, size, root, height, segment })
    }
}

fn origin(cluster: &Name) -> String {
    format!("portcullis/{cluster}/archive")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        let head = Head { height: 2, size: 17, segment: "segments/2-1-ff.seg".to_owned(), ..Head::empty() };
        Checkpoint::of(&Name::parse("blue").expect("a name"), &head)
    }

    /// The signed text is read for ever: this form never changes.
    #[test]
    fn the_text_of_a_checkpoint_is_fixed() {
        let text = "portcullis/blue/archive\n17\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\
                    height 2\nsegment segments/2-1-ff.seg\n";
        assert_eq!(checkpoint().text(), text);
        assert_eq!(Checkpoint::read(text), Some(checkpoint()));
    }

    #[test]
    fn a_text_that_only_resembles_a_checkpoint_is_none() {
        let text = checkpoint().text();
        for changed in [
            text.replace("17", "017"),
            text.replace("height 2", "height 2 "),
            text.replace("47DE", "47D"),
            text.replace("segment ", "segments "),
            text.clone() + "more\n",
            text.replace("\n17", ""),
        ] {
            let exact = Checkpoint::read(&changed).filter(|read| read.text() == changed);
            assert_eq!(exact, None, "{changed:?}");
        }
    }
}

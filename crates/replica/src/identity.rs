//! Whose data directory this is: node, cluster, and a random number drawn when the directory was founded.
//!
//! The same text stands in a file (for people, and for copies made by file) and in the log store (which the file
//! cannot outlive). Where they differ, or one of them is gone, the directory was put together from pieces: a wiped
//! node must not come back under an id that the others remember having voted.

use authority::{name::Name, node};

/// The first line of the text: what it is, and the version of its form.
const FIRST_LINE: &str = "portcullis replica 1";

/// The longest text that is read: three short lines and a name of at most 63 bytes.
const MAX_TEXT_BYTES: usize = 256;

/// Whose data directory it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Which node.
    pub(crate) node: node::Id,
    /// Of which cluster.
    pub(crate) cluster: Name,
    /// Drawn when the directory was founded.
    pub(crate) directory: [u8; 16],
}

/// A text that is no identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text is not what this or an earlier version writes as an identity")]
pub struct NotAnIdentity;

impl Identity {
    /// The text: one fact a line.
    pub(crate) fn to_text(&self) -> String {
        let Self { node, cluster, directory } = self;
        let directory = u128::from_be_bytes(*directory);
        format!("{FIRST_LINE}\nnode {node}\ncluster {cluster}\ndirectory {directory:032x}\n")
    }

    /// Reads the text. It has one form only, so that equal identities are equal bytes.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, NotAnIdentity> {
        let bounded = Some(text).filter(|text| text.len() <= MAX_TEXT_BYTES).ok_or(NotAnIdentity)?;
        let lines = std::str::from_utf8(bounded).map_err(|_| NotAnIdentity)?;
        let mut lines = lines.lines();
        let mut fact =
            |name: &str| lines.next().and_then(|line| line.strip_prefix(name)).ok_or(NotAnIdentity);
        fact(FIRST_LINE)?;
        let identity = Self {
            node: node::Id(fact("node ")?.parse().map_err(|_| NotAnIdentity)?),
            cluster: Name::parse(fact("cluster ")?).map_err(|_| NotAnIdentity)?,
            directory: u128::from_str_radix(fact("directory ")?, 16)
                .map_err(|_| NotAnIdentity)?
                .to_be_bytes(),
        };
        if identity.to_text().as_bytes() == text { Ok(identity) } else { Err(NotAnIdentity) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> Identity {
        Identity {
            node: node::Id(3),
            cluster: Name::parse("berlin-1").expect("a name"),
            directory: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255],
        }
    }

    #[test]
    fn an_identity_reads_back() {
        assert_eq!(Identity::parse(identity().to_text().as_bytes()), Ok(identity()));
    }

    #[test]
    fn a_text_with_anything_else_in_it_is_refused() {
        let text = identity().to_text();
        for other in [
            text.replace("replica 1", "replica 2"),
            text.replace("node 3", "node +3"),
            text.replace("berlin-1", "Berlin-1"),
            format!("{text}\n"),
            text.trim_end().to_owned(),
            String::new(),
        ] {
            assert_eq!(Identity::parse(other.as_bytes()), Err(NotAnIdentity), "{other:?}");
        }
    }
}

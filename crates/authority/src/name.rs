//! Names that people choose: of principals, servers, credentials, operators, groups.
//!
//! A name is canonical by construction (lower-case ASCII letters, digits and inner hyphens, at most 63 bytes), so two
//! names are the same exactly when their bytes are, and none can carry a path, a control character or a homoglyph.

use std::{fmt, sync::Arc};

/// The longest name, in bytes: that of a DNS label (RFC 1035, section 2.3.4), so a name fits wherever one does.
pub const MAX_NAME_BYTES: usize = 63;

/// A checked name. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a name: use 1 to {MAX_NAME_BYTES} lower-case letters, digits and hyphens, \
     beginning and ending with a letter or digit"
)]
pub struct NotAName {
    /// The refused text, cut to 80 characters.
    pub text: String,
}

impl Name {
    /// Checks `text` and keeps it.
    pub fn parse(text: &str) -> Result<Self, NotAName> {
        let bytes = text.as_bytes();
        let inner = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let edge = |byte: Option<&u8>| byte.is_some_and(|byte| *byte != b'-');
        let fits = (1..=MAX_NAME_BYTES).contains(&bytes.len());
        if fits && bytes.iter().all(inner) && edge(bytes.first()) && edge(bytes.last()) {
            return Ok(Self(text.into()));
        }
        Err(NotAName { text: text.chars().take(80).collect() })
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Declares a newtype over [`Name`], so that the name of one kind is never taken for that of another.
macro_rules! name_id {
    ($(#[$doc:meta])* $id:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $id($crate::name::Name);

        impl $id {
            /// Checks `text` and keeps it.
            pub fn parse(text: &str) -> Result<Self, $crate::name::NotAName> {
                $crate::name::Name::parse(text).map(Self)
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl std::fmt::Display for $id {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::fmt::Debug for $id {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0, f)
            }
        }
    };
}
pub(crate) use name_id;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c18_a_name_carries_no_path_escape_or_control_character() {
        for text in ["../admin", "%2e%2e", "a;b", "a\0b", "a/b", "A", "ä", "-a", "a-", "", "a b", "\u{ff0e}"]
        {
            assert_eq!(Name::parse(text), Err(NotAName { text: text.into() }));
        }
        assert!(Name::parse(&"a".repeat(MAX_NAME_BYTES + 1)).is_err());
    }

    #[test]
    fn a_name_keeps_its_bytes() {
        for text in ["a", "github", "ana-claude-2", &"a".repeat(MAX_NAME_BYTES)] {
            assert_eq!(Name::parse(text).map(|name| name.as_str().to_owned()).as_deref(), Ok(text));
        }
    }
}

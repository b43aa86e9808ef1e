//! Patterns of tool and prompt names and of resource URIs: exact text, or a glob in which `*` stands for any run.
//!
//! Matching compares bytes. There is no case folding, no Unicode normalisation and no character class, so a pattern
//! has one reading and matching is linear in the text (with one backtrack point, never exponential).

use std::{fmt, sync::Arc};

/// The longest pattern, in bytes. MCP names are far shorter; resource URIs seldom exceed it.
pub const MAX_PATTERN_BYTES: usize = 512;

/// A pattern over one kind of name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pattern {
    /// Matches exactly these bytes.
    Exact(Arc<str>),
    /// Matches where each `*` stands for any run of bytes, also an empty one.
    Glob(Arc<str>),
}

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPattern {
    /// Nothing was given.
    #[error("a pattern is empty: write `*` for everything, or leave the list out for nothing")]
    Empty,
    /// It is longer than [`MAX_PATTERN_BYTES`].
    #[error("a pattern has {bytes} bytes, more than {MAX_PATTERN_BYTES}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// It carries a control character, which no name that people review should.
    #[error("a pattern carries a control character")]
    Control,
}

impl Pattern {
    /// Reads the text form: a text with a `*` is a glob, any other is exact.
    pub fn parse(text: &str) -> Result<Self, NotAPattern> {
        if text.is_empty() {
            return Err(NotAPattern::Empty);
        }
        if text.len() > MAX_PATTERN_BYTES {
            return Err(NotAPattern::TooLong { bytes: text.len() });
        }
        if text.chars().any(char::is_control) {
            return Err(NotAPattern::Control);
        }
        Ok(if text.contains('*') { Self::Glob(text.into()) } else { Self::Exact(text.into()) })
    }

    /// Whether `name` matches.
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(text) => **text == *name,
            Self::Glob(text) => glob_matches(text.as_bytes(), name.as_bytes()),
        }
    }

    /// Whether every name that `other` matches is matched by this pattern too. Says no where it cannot tell, which
    /// for a sub-grant errs to the narrow side.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Exact(text)) => self.matches(text),
            (Self::Exact(_), Self::Glob(_)) => false,
            // Read as plain text, a glob matches `wide` only when each of its stars lies under a star of `wide`, which
            // then takes whatever that star stands for.
            (Self::Glob(wide), Self::Glob(narrow)) => glob_matches(wide.as_bytes(), narrow.as_bytes()),
        }
    }

    /// The text form that [`Pattern::parse`] reads.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Exact(text) | Self::Glob(text) => text,
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

/// Greedy matching with one remembered star: on a mismatch the last star takes one byte more.
fn glob_matches(glob: &[u8], text: &[u8]) -> bool {
    let (mut at_glob, mut at_text) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while at_text < text.len() {
        match glob.get(at_glob) {
            Some(b'*') => {
                retry = Some((at_glob + 1, at_text));
                at_glob += 1;
            }
            Some(byte) if *byte == text[at_text] => {
                at_glob += 1;
                at_text += 1;
            }
            _ => match &mut retry {
                Some((after_star, taken)) => {
                    *taken += 1;
                    (at_glob, at_text) = (*after_star, *taken);
                }
                None => return false,
            },
        }
    }
    glob[at_glob..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).expect("a pattern")
    }

    #[test]
    fn c05_names_match_by_exact_bytes_only() {
        let exact = pattern("delete_repo");
        assert!(exact.matches("delete_repo"));
        for other in [
            "Delete_repo",
            "delete_repo ",
            "delete_rep\u{43e}",
            "delete_repo\u{200b}",
            "d\u{65}\u{301}lete_repo",
        ] {
            assert!(!exact.matches(other), "{other:?}");
        }
        assert!(!pattern("caf\u{e9}").matches("cafe\u{301}"), "NFC and NFD are two names");
    }

    #[test]
    fn a_star_stands_for_any_run() {
        for (glob, text, matches) in [
            ("*", "", true),
            ("*", "anything", true),
            ("get_*", "get_issue", true),
            ("get_*", "forget_issue", false),
            ("*_issue", "get_issue", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-", false),
            ("a**c", "ac", true),
        ] {
            assert_eq!(pattern(glob).matches(text), matches, "{glob} {text}");
        }
    }

    #[test]
    fn a_pattern_covers_only_what_it_surely_matches() {
        for (wide, narrow, covers) in [
            ("*", "get_*", true),
            ("get_*", "get_issue", true),
            ("get_*", "get_*_x", true),
            ("get_*", "*", false),
            ("get_issue", "get_*", false),
            ("a*c", "a*b*c", true),
            ("a*b*c", "a*c", false),
        ] {
            assert_eq!(pattern(wide).covers(&pattern(narrow)), covers, "{wide} over {narrow}");
        }
    }

    #[test]
    fn matching_a_hostile_glob_stays_linear_in_practice() {
        let glob = pattern(&"a*".repeat(100));
        assert!(!glob.matches(&("a".repeat(99) + &"b".repeat(4000))));
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        assert_eq!(Pattern::parse(""), Err(NotAPattern::Empty));
        assert_eq!(Pattern::parse("a\nb"), Err(NotAPattern::Control));
        assert_eq!(Pattern::parse(&"a".repeat(513)), Err(NotAPattern::TooLong { bytes: 513 }));
    }
}

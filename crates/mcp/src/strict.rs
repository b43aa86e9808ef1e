//! Strict reading: a body has exactly one reading, or it is refused.
//!
//! A gateway that authorises one meaning and forwards the bytes is only as good as its agreement with every parser
//! behind it. JSON leaves room for disagreement, and each disagreement has been an authorization bypass somewhere:
//! which of two equal keys counts, whether `Name` is `name` (Go and .NET decoders think so), whether
//! 9007199254740993 is itself, whether bytes after the end matter. So this scanner does not choose a reading. It
//! accepts the subset of JSON on which parsers cannot differ and names the byte and the reason where a body leaves it:
//!
//! | refused | because some parser |
//! |---|---|
//! | invalid UTF-8, a byte order mark, bytes after the value | skips, replaces or stops early |
//! | raw control characters, `\u0000`, half of a surrogate pair | ends the string, replaces, or keeps it |
//! | two keys of one object that are equal, or equal once case and Unicode compatibility forms are folded | takes the first, the last, or merges |
//! | in protocol objects, a key that only folds to a protocol key (`Method`, `paramſ`) | takes it for the real one |
//! | a number that its own double does not print ([`number`]) | rounds it |
//! | depth, size, counts beyond [`crate::limits`] | falls over |
//!
//! The scanner ([`Scanner`]) is a pull reader over borrowed bytes: no tree, one pass, and the caller learns where
//! each value lies. What it is not: a validator of MCP. Which member must be a string is the business of
//! [`crate::message`] and [`crate::params`].
//!
//! Answers of upstream servers are read under [`Rules::answer`], which asks all of this only of the objects the
//! caller enters and mere JSON of the values it skips: a description with half an emoji in it is not a reason to
//! hide three hundred tools.

pub mod keys;
pub mod number;
pub mod refusal;
pub mod reserved;
pub mod scanner;
pub mod text;

pub use refusal::{Reason, Refusal};
pub use scanner::{Kind, Rules, Scanner, Zone};

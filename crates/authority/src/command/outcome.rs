//! The answer to a command, as it is kept for retries. It never says that a narrowing is enforced: that is waited for
//! anew by whoever gives the answer.

use super::Rejected;
use crate::event::Revision;

/// The answer to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done {
        /// The entry that did it.
        revision: Revision,
        /// Whether anything changed; a revocation of what is revoked already changes nothing.
        changed: bool,
    },
    /// It was refused, and nothing changed.
    Rejected(Rejected),
}

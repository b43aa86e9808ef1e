//! The one error of decoding: which field is not what it should be, and how.
//!
//! Who meets it stops: bytes come from our own disk or from a peer of our own cluster, so a value that cannot be read
//! means damage or a newer version, and going on without it could drop a restriction.

use authority::{credential::NotAHeaderName, name::NotAName, pattern::NotAPattern, server::NotAnEndpoint};

/// Bytes are not the message they should be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{what} {flaw}")]
pub struct Malformed {
    /// The message or the field, by its name in the `.proto` file.
    pub what: &'static str,
    /// What is wrong with it.
    #[source]
    pub flaw: Flaw,
}

/// What is wrong with a message or a field.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Flaw {
    /// The bytes are not protobuf.
    #[error("is not protobuf")]
    NotProtobuf(#[source] prost::DecodeError),
    /// It has a field this version does not know, or is not written the one way this version writes it.
    #[error("carries something this version does not know; is it from a newer version?")]
    NotCanonical,
    /// It is required and absent, or of a kind this version does not know.
    #[error("is absent, or of a kind this version does not know")]
    Absent,
    /// An enum has a value this version does not know.
    #[error("has the value {value}, which this version does not know")]
    UnknownValue {
        /// The value.
        value: i32,
    },
    /// A number does not fit.
    #[error("is {value}, which is too large")]
    TooLarge {
        /// The number.
        value: u64,
    },
    /// Fixed bytes have another length.
    #[error("has {bytes} bytes instead of {wanted}")]
    Length {
        /// How many there are.
        bytes: usize,
        /// How many there should be.
        wanted: usize,
    },
    /// A list is not in ascending order, or names something twice.
    #[error("is not in ascending order")]
    Order,
    /// A command has a name this version does not know.
    #[error("names no command that this version knows")]
    UnknownCommand,
    /// A text is no name.
    #[error("is no name")]
    Name(#[source] NotAName),
    /// A text is no URL of a server, or not in canonical form.
    #[error("is no URL of a server")]
    Endpoint(#[source] NotAnEndpoint),
    /// A text is no pattern.
    #[error("is no pattern")]
    Pattern(#[source] NotAPattern),
    /// A text is no header for a credential.
    #[error("is no header that can carry a credential")]
    Header(#[source] NotAHeaderName),
    /// A text is valid but not in its canonical form.
    #[error("is not in its canonical form")]
    NotNormal,
}

impl Flaw {
    /// This flaw, of `what`.
    pub(crate) fn of(self, what: &'static str) -> Malformed {
        Malformed { what, flaw: self }
    }
}

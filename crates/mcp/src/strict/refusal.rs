//! Why a body was refused: a stable reason and the byte where reading stopped.
//!
//! The reasons are facts about bytes, never about grants. They are shown to the person who wrote the client, so each
//! message says what is wrong in a way that can be put right; none quotes the body, which may hold secrets.

use crate::limits;

/// A body that was not read, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} (byte {at})")]
pub struct Refusal {
    /// Offset of the offending byte from the start of the body; the start of the message for what concerns it as a
    /// whole.
    pub at: usize,
    /// What is wrong there.
    pub reason: Reason,
}

/// What was wrong. [`Reason::code`] is the stable name; the message is for people and may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// More bytes than the caller allowed.
    #[error("the body is longer than {limit} bytes")]
    TooLarge {
        /// The bound that was passed.
        limit: usize,
    },
    /// Not UTF-8.
    #[error("the body is not valid UTF-8")]
    NotUtf8,
    /// The body begins with U+FEFF.
    #[error("the body begins with a byte order mark, leave it out")]
    ByteOrderMark,
    /// The body ends inside a value.
    #[error("the body ends too early")]
    UnexpectedEnd,
    /// A byte that JSON does not allow there.
    #[error("this byte cannot stand here in JSON")]
    UnexpectedByte,
    /// Something follows the value.
    #[error("bytes follow the end of the JSON value")]
    TrailingBytes,
    /// A control character stands in a string unescaped.
    #[error("control characters in strings must be escaped")]
    ControlCharacter,
    /// An escape that JSON does not know.
    #[error("this escape is not one of JSON's")]
    BadEscape,
    /// `\u0000`, which ends the string for some parsers.
    #[error("strings must not hold the NUL character")]
    Nul,
    /// Half of a surrogate pair, which some parsers replace.
    #[error("half of a surrogate pair stands alone")]
    LoneSurrogate,
    /// A number of too many characters.
    #[error("numbers must not be longer than {} characters", limits::MAX_NUMBER_BYTES)]
    NumberTooLong,
    /// A number that a double cannot hold as it is written.
    #[error("parsers read this number differently, send it as a string or with at most 15 digits")]
    AmbiguousNumber,
    /// `-0`, which is an integer to some and a float to others.
    #[error("-0 is read differently by integer and float parsers, send 0")]
    NegativeZero,
    /// Too many open objects and arrays.
    #[error("the nesting is deeper than {limit}")]
    TooDeep {
        /// The bound that was passed.
        limit: usize,
    },
    /// Too many keys in the whole body.
    #[error("the body has more than {limit} keys")]
    TooManyKeys {
        /// The bound that was passed.
        limit: usize,
    },
    /// Too many bytes of keys that need Unicode folding.
    #[error("the body has more than {} bytes of non-ASCII keys", limits::MAX_FOLDED_KEY_BYTES)]
    KeysTooLong,
    /// Two keys of one object are equal after unescaping.
    #[error("an object has the same key twice")]
    DuplicateKey,
    /// Two keys of one object are equal once folded.
    #[error("two keys of an object differ only by letter case or Unicode form")]
    FoldedDuplicateKey,
    /// A key that only folds to a key of the protocol.
    #[error("a key looks like `{reserved}` but is not spelled so")]
    LookalikeKey {
        /// The key it could be taken for.
        reserved: &'static str,
    },
    /// A key that a widespread JSON library uses for itself.
    #[error("this key is used internally by a JSON library")]
    ForbiddenKey,
    /// `jsonrpc` is missing or not "2.0".
    #[error("`jsonrpc` must be \"2.0\"")]
    NotJsonRpc,
    /// A member that must be there is not.
    #[error("`{member}` is missing")]
    Missing {
        /// The member.
        member: &'static str,
    },
    /// A member has a value of the wrong type.
    #[error("`{member}` has the wrong type")]
    WrongType {
        /// The member.
        member: &'static str,
    },
    /// A member's text is longer than its bound.
    #[error("`{member}` is too long")]
    TooLong {
        /// The member.
        member: &'static str,
    },
    /// The envelope has a member that JSON-RPC does not know.
    #[error("only jsonrpc, id, method, params, result and error may stand in a message")]
    UnknownMember,
    /// The id is null, a fraction, too large or of another type.
    #[error("`id` must be a string or an integer between -2^53 and 2^53")]
    BadId,
    /// Both sides of JSON-RPC in one message, or neither.
    #[error("a message has either `method` or exactly one of `result` and `error`")]
    NeitherRequestNorResponse,
    /// A batch of nothing.
    #[error("a batch must not be empty")]
    EmptyBatch,
    /// A batch with too many elements.
    #[error("a batch has at most {} elements", limits::MAX_BATCH)]
    BatchTooLong,
    /// Two requests of one batch have the same id.
    #[error("two requests of a batch have the same id")]
    DuplicateId,
    /// Too many resources in one subscription.
    #[error("a subscription names at most {} resources", limits::MAX_SUBSCRIPTIONS)]
    TooManySubscriptions,
}

impl Reason {
    /// The reason at byte `at`.
    #[must_use]
    pub fn at(self, at: usize) -> Refusal {
        Refusal { at, reason: self }
    }

    /// Its stable name, for records, metrics and tests. Names are only ever added.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Reason::TooLarge { .. } => "too_large",
            Reason::NotUtf8 => "not_utf8",
            Reason::ByteOrderMark => "byte_order_mark",
            Reason::UnexpectedEnd => "unexpected_end",
            Reason::UnexpectedByte => "unexpected_byte",
            Reason::TrailingBytes => "trailing_bytes",
            Reason::ControlCharacter => "control_character",
            Reason::BadEscape => "bad_escape",
            Reason::Nul => "nul",
            Reason::LoneSurrogate => "lone_surrogate",
            Reason::NumberTooLong => "number_too_long",
            Reason::AmbiguousNumber => "ambiguous_number",
            Reason::NegativeZero => "negative_zero",
            Reason::TooDeep { .. } => "too_deep",
            Reason::TooManyKeys { .. } => "too_many_keys",
            Reason::KeysTooLong => "keys_too_long",
            Reason::DuplicateKey => "duplicate_key",
            Reason::FoldedDuplicateKey => "folded_duplicate_key",
            Reason::LookalikeKey { .. } => "lookalike_key",
            Reason::ForbiddenKey => "forbidden_key",
            Reason::NotJsonRpc => "not_json_rpc",
            Reason::Missing { .. } => "missing_member",
            Reason::WrongType { .. } => "wrong_type",
            Reason::TooLong { .. } => "too_long",
            Reason::UnknownMember => "unknown_member",
            Reason::BadId => "bad_id",
            Reason::NeitherRequestNorResponse => "neither_request_nor_response",
            Reason::EmptyBatch => "empty_batch",
            Reason::BatchTooLong => "batch_too_long",
            Reason::DuplicateId => "duplicate_id",
            Reason::TooManySubscriptions => "too_many_subscriptions",
        }
    }

    /// Whether the bytes are no JSON at all (JSON-RPC's -32700) rather than JSON that is no acceptable message (-32600).
    #[must_use]
    pub fn is_syntax(self) -> bool {
        matches!(
            self,
            Reason::NotUtf8
                | Reason::ByteOrderMark
                | Reason::UnexpectedEnd
                | Reason::UnexpectedByte
                | Reason::TrailingBytes
                | Reason::ControlCharacter
                | Reason::BadEscape
        )
    }
}

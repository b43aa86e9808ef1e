//! What a call asks for, as the decision sees it: already read strictly, stripped of everything a decision does not
//! need. Not the MCP wire; `edge` maps one to the other.

use std::fmt;

/// The kinds of things a scope names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A tool, by name.
    Tool,
    /// A prompt, by name.
    Prompt,
    /// A resource, by URI.
    Resource,
    /// A resource template, by URI template.
    ResourceTemplate,
}

/// What one call asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// To use one named thing: `tools/call`, `prompts/get`, `resources/read`, `resources/subscribe`,
    /// `completion/complete` about a prompt or template.
    Use {
        /// What kind of thing.
        kind: Kind,
        /// Its name or URI, as the client wrote it, unescaped.
        name: Box<str>,
    },
    /// To list the things of one kind. Allowed wherever the server is; the answer is filtered.
    List(Kind),
    /// Several at once that travel in one message, such as a batch or a subscription to many resources. Allowed only if
    /// each of them is; never nested.
    Each(Box<[Action]>),
    /// What keeps the conversation going and reaches no named thing: `initialize`, `ping`, `server/discover`, a
    /// response to the server, a notification of the protocol, opening or ending a stream.
    Converse,
    /// A method the gateway does not know, or knows to be unsafe. Never allowed.
    Unknown,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tool => "tool",
            Self::Prompt => "prompt",
            Self::Resource => "resource",
            Self::ResourceTemplate => "resource template",
        })
    }
}

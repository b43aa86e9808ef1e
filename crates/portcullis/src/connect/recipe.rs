//! A recipe: everything about connecting one client, as a value. The files of the clients make it; showing, installing
//! and linking only read it, so that what is shown is what is installed.

use std::path::PathBuf;

use anyhow::Result;

use super::{json_member::JsonMember, toml_member::TomlMember};

/// How one client is connected.
pub struct Recipe {
    /// The client, as people call it.
    pub title: &'static str,
    /// The file that the client reads.
    pub file: PathBuf,
    /// What belongs into it.
    pub member: Member,
    /// The client's own command for the same, where it has one.
    pub command: Option<String>,
    /// The link that installs it without a token, where the client has one.
    pub link: Option<String>,
    /// What is left to do for a person, as sentences.
    pub then: String,
}

/// What belongs into a client's file: one entry of its table of servers.
pub enum Member {
    /// In a file of JSON.
    Json(JsonMember),
    /// In a file of TOML.
    Toml(TomlMember),
}

/// What putting a member into a text made of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Merged {
    /// Nothing: the member is there already.
    Unchanged,
    /// This text, with a new entry.
    Added(String),
    /// This text, in which an entry of the same name has become ours.
    Replaced(String),
}

impl Member {
    /// Puts the member into the text of a client's file; an empty text is an empty file.
    ///
    /// # Errors
    /// The text is not what the client reads. The error names the place and carries nothing of the text, in which there
    /// may be secrets.
    pub fn put_into(&self, text: &str) -> Result<Merged> {
        match self {
            Self::Json(member) => member.put_into(text),
            Self::Toml(member) => member.put_into(text),
        }
    }

    /// What an otherwise empty file would be.
    ///
    /// # Errors
    /// None in practice; an empty file is what every client reads.
    pub fn alone(&self) -> Result<String> {
        Ok(match self.put_into("")? {
            Merged::Added(text) | Merged::Replaced(text) => text,
            Merged::Unchanged => String::new(),
        })
    }
}

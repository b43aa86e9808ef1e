//! Reading a line of a script: a verb, words, and `key=value` options.

use std::collections::BTreeMap;

use authority::{
    action::{Action, Kind},
    grant::{self, TokenHash},
    name::Name,
    operator::Role,
    pattern::Pattern,
    principal,
    scope::Scope,
    server,
    time::Wall,
};

/// Why a line is no line.
pub type Fault = Box<dyn std::error::Error>;

/// A line of a script, split.
pub struct Line<'text> {
    pub verb: &'text str,
    words: Vec<&'text str>,
    options: BTreeMap<&'text str, &'text str>,
}

impl<'text> Line<'text> {
    pub fn read(text: &'text str) -> Result<Self, Fault> {
        let mut parts = text.split_whitespace();
        let verb = parts.next().ok_or("a line begins with a verb")?;
        let (options, words): (Vec<_>, Vec<_>) = parts.partition(|part| part.contains('='));
        let options = options.into_iter().filter_map(|option| option.split_once('=')).collect();
        Ok(Self { verb, words, options })
    }

    pub fn word(&self, at: usize) -> Result<&'text str, Fault> {
        self.words.get(at).copied().ok_or_else(|| format!("word {at} is missing").into())
    }

    pub fn words_from(&self, at: usize) -> &[&'text str] {
        self.words.get(at..).unwrap_or_default()
    }

    pub fn option(&self, key: &str) -> Option<&'text str> {
        self.options.get(key).copied()
    }

    pub fn number(&self, at: usize) -> Result<u64, Fault> {
        Ok(self.word(at)?.parse()?)
    }

    pub fn number_option(&self, key: &str) -> Result<Option<u64>, Fault> {
        Ok(self.option(key).map(str::parse).transpose()?)
    }

    /// An instant, in seconds.
    pub fn time_option(&self, key: &str) -> Result<Option<Wall>, Fault> {
        Ok(self.number_option(key)?.map(|seconds| Wall(seconds * 1000)))
    }

    pub fn name(&self, at: usize) -> Result<Name, Fault> {
        Ok(Name::parse(self.word(at)?)?)
    }

    pub fn principal(&self, at: usize) -> Result<principal::Id, Fault> {
        Ok(principal::Id::parse(self.word(at)?)?)
    }

    pub fn server(&self, at: usize) -> Result<server::Id, Fault> {
        Ok(server::Id::parse(self.word(at)?)?)
    }

    pub fn role(&self, at: usize) -> Result<Role, Fault> {
        Ok(match self.word(at)? {
            "owner" => Role::Owner,
            "granter" => Role::Granter,
            "auditor" => Role::Auditor,
            other => return Err(format!("{other} is no role of the scripts").into()),
        })
    }

    /// The scopes `tools=`, `prompts=`, `resources=` on the server, or servers divided by commas, in word `at`.
    pub fn scopes(&self, at: usize) -> Result<Vec<Scope>, Fault> {
        let servers = self.word(at)?.split(',').map(server::Id::parse).collect::<Result<Vec<_>, _>>()?;
        servers.into_iter().map(|server| self.scope(server)).collect()
    }

    fn scope(&self, server: server::Id) -> Result<Scope, Fault> {
        if self.option("all").is_some() {
            return Ok(Scope::all(server));
        }
        let patterns = |key| -> Result<Vec<Pattern>, Fault> {
            let texts = self.option(key).map(|texts| texts.split(',')).into_iter().flatten();
            Ok(texts.map(Pattern::parse).collect::<Result<_, _>>()?)
        };
        Ok(Scope {
            server,
            tools: patterns("tools")?,
            prompts: patterns("prompts")?,
            resources: patterns("resources")?,
        })
    }

    /// The MCP method in word `at`, with the name it is about in the next.
    pub fn action(&self, at: usize) -> Result<Action, Fault> {
        let named =
            |kind| -> Result<Action, Fault> { Ok(Action::Use { kind, name: self.word(at + 1)?.into() }) };
        match self.word(at)? {
            "tools/call" => named(Kind::Tool),
            "prompts/get" => named(Kind::Prompt),
            "resources/read" => named(Kind::Resource),
            "completion/complete" => named(Kind::ResourceTemplate),
            "ping" => Ok(Action::Converse),
            method => {
                Ok(method.strip_suffix("/list").and_then(list_of).map_or(Action::Unknown, Action::List))
            }
        }
    }
}

/// The kind of things that `<what>/list` lists.
pub fn list_of(what: &str) -> Option<Kind> {
    match what {
        "tools" => Some(Kind::Tool),
        "prompts" => Some(Kind::Prompt),
        "resources" => Some(Kind::Resource),
        "resources/templates" => Some(Kind::ResourceTemplate),
        _ => None,
    }
}

/// The id a script calls by this name.
pub fn grant(name: &str) -> grant::Id {
    grant::Id(padded(name))
}

/// The hash a script calls by this name.
pub fn token(name: &str) -> TokenHash {
    TokenHash(padded(name))
}

fn padded<const N: usize>(name: &str) -> [u8; N] {
    let mut bytes = [0; N];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    bytes
}

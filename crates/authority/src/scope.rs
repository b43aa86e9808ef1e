//! The scope of a grant: which tools, prompts and resources of which server it reaches.

use crate::{action::Kind, pattern::Pattern, resource_uri, server};

/// The most scopes in one grant.
pub const MAX_SCOPES: usize = 64;

/// The most patterns of one kind in one scope.
pub const MAX_PATTERNS: usize = 256;

/// What one grant reaches on one server. A list that is empty reaches nothing of its kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// The server.
    pub server: server::Id,
    /// Tools, by name.
    pub tools: Vec<Pattern>,
    /// Prompts, by name.
    pub prompts: Vec<Pattern>,
    /// Resources, by URI; resource templates, by URI template.
    pub resources: Vec<Pattern>,
}

impl Scope {
    /// Everything a server offers, now and later.
    pub fn all(server: server::Id) -> Self {
        let everything = vec![Pattern::Glob("*".into())];
        Self { server, tools: everything.clone(), prompts: everything.clone(), resources: everything }
    }

    /// Whether the scope reaches the thing of this kind and name.
    pub fn reaches(&self, kind: Kind, name: &str) -> bool {
        match kind {
            Kind::Tool => any_matches(&self.tools, name),
            Kind::Prompt => any_matches(&self.prompts, name),
            Kind::Resource => self.resources.iter().any(|pattern| match pattern {
                Pattern::Exact(_) => pattern.matches(name),
                // A lone star reaches every resource there is, so there is nothing a URI could slip out of.
                Pattern::Glob(text) if **text == *"*" => true,
                Pattern::Glob(_) => resource_uri::is_normal(name) && pattern.matches(name),
            }),
            Kind::ResourceTemplate => any_matches(&self.resources, name),
        }
    }

    /// Whether everything `other` reaches is reached by this scope. Says no where it cannot tell.
    pub fn covers(&self, other: &Self) -> bool {
        self.server == other.server
            && all_covered(&self.tools, &other.tools)
            && all_covered(&self.prompts, &other.prompts)
            && all_covered(&self.resources, &other.resources)
    }
}

fn any_matches(patterns: &[Pattern], name: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(name))
}

fn all_covered(wide: &[Pattern], narrow: &[Pattern]) -> bool {
    narrow.iter().all(|narrow| wide.iter().any(|wide| wide.covers(narrow)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_vouches_only_for_a_uri_in_normal_form_and_a_lone_star_for_all() {
        let server = server::Id::parse("files").expect("a name");
        let of = |pattern: &str| Scope {
            server: server.clone(),
            tools: Vec::new(),
            prompts: Vec::new(),
            resources: vec![Pattern::parse(pattern).expect("a pattern")],
        };
        let reaches = |pattern: &str, uri: &str| of(pattern).reaches(Kind::Resource, uri);
        assert!(reaches("file:///pub/*", "file:///pub/a.txt"));
        assert!(!reaches("file:///pub/*", "file:///pub/../etc/passwd"));
        assert!(reaches("file:///pub/a?x=1", "file:///pub/a?x=1"));
        assert!(reaches("*", "https://example.com/?q=1"));
    }
}

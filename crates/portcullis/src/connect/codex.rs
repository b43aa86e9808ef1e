//! The Codex command line: `~/.codex/config.toml` for a person, `.codex/config.toml` for a project that Codex trusts.
//! It takes a token from the environment; an inline `bearer_token` it refuses, and an inline header it takes.

use toml_edit::{InlineTable, Table, value};

use super::{
    Scope,
    entry::Entry,
    places::Places,
    recipe::{Member, Recipe},
    shown,
    toml_member::TomlMember,
};

/// The recipe.
pub fn recipe(entry: &Entry, scope: Scope, places: &Places) -> Recipe {
    let Entry { name, url, variable, .. } = entry;
    let mut table = Table::new();
    table.insert("url", value(url));
    if entry.holds_token() {
        let mut headers = InlineTable::new();
        headers.insert("Authorization", entry.authorization("").into());
        table.insert("http_headers", value(headers));
    } else {
        table.insert("bearer_token_env_var", value(variable));
    }
    let (file, command, trust) = match scope {
        Scope::User => (
            places.codex().join("config.toml"),
            Some(format!(
                "codex mcp add {name} --url {} --bearer-token-env-var {variable}",
                shown::quoted(url)
            )),
            "",
        ),
        Scope::Project => (
            places.of_scope(scope, "", ".codex/config.toml"),
            None,
            " It reads the file of a project only when the project is trusted.",
        ),
    };
    Recipe {
        title: "Codex",
        file,
        member: Member::Toml(TomlMember { table: "mcp_servers", name: name.clone(), value: table }),
        command,
        link: None,
        then: format!("{}`codex mcp list` shows it.{trust}", shown::environment(entry, "Codex")),
    }
}

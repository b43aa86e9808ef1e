//! Claude Code: `~/.claude.json` for a person, `.mcp.json` for a project. It expands `${VARIABLE}` in both, and with an
//! `Authorization` header of its own it never starts OAuth.

use jsonc_parser::json;

use super::{
    Scope,
    entry::Entry,
    json_member::{Dialect, JsonMember},
    places::Places,
    recipe::{Member, Recipe},
    shown,
};

/// The recipe.
pub fn recipe(entry: &Entry, scope: Scope, places: &Places) -> Recipe {
    let reference = format!("${{{}}}", entry.variable);
    let Entry { name, url, .. } = entry;
    let (file, flag, approval) = match scope {
        Scope::User => (places.claude().join(".claude.json"), "user", ""),
        Scope::Project => (
            places.of_scope(scope, "", ".mcp.json"),
            "project",
            " It asks once whether the servers of the project are to be trusted.",
        ),
    };
    let value = json!({
        "type": "http",
        "url": (url.as_str()),
        "headers": { "Authorization": (entry.authorization(&reference)) }
    });
    Recipe {
        title: "Claude Code",
        file,
        member: Member::Json(JsonMember {
            dialect: Dialect::Strict,
            table: "mcpServers",
            name: name.clone(),
            value,
            prompt: None,
        }),
        command: Some(format!(
            "claude mcp add --transport http --scope {flag} {name} {} --header 'Authorization: Bearer {reference}'",
            shown::quoted(url)
        )),
        link: None,
        then: format!(
            "{}`claude mcp list` shows whether it is connected.{approval}",
            shown::environment(entry, "Claude Code")
        ),
    }
}

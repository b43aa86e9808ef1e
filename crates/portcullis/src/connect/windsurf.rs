//! Windsurf: `~/.codeium/windsurf/mcp_config.json`, for a person only. It expands `${env:VARIABLE}`, and reads
//! `serverUrl` where the others read `url`.

use anyhow::{Result, ensure};
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
///
/// # Errors
/// The scope is a project's.
pub fn recipe(entry: &Entry, scope: Scope, places: &Places) -> Result<Recipe> {
    ensure!(scope == Scope::User, "Windsurf has no file of a project: use --scope user");
    let reference = format!("${{env:{}}}", entry.variable);
    let value = json!({
        "serverUrl": (entry.url.as_str()),
        "headers": { "Authorization": (entry.authorization(&reference)) }
    });
    Ok(Recipe {
        title: "Windsurf",
        file: places.of_scope(scope, ".codeium/windsurf/mcp_config.json", ""),
        member: Member::Json(JsonMember {
            dialect: Dialect::Strict,
            table: "mcpServers",
            name: entry.name.clone(),
            value,
            prompt: None,
        }),
        command: None,
        link: None,
        then: format!(
            "{}Refresh the list of MCP servers in Windsurf's settings.",
            shown::environment(entry, "Windsurf")
        ),
    })
}

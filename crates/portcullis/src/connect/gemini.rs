//! The Gemini command line: `~/.gemini/settings.json` for a person, `.gemini/settings.json` for a project. It expands
//! `$VARIABLE`; `url` means Streamable HTTP only together with its `type`.

use jsonc_parser::json;

use super::{
    Scope,
    entry::Entry,
    json_member::{Dialect, JsonMember},
    places::Places,
    recipe::{Member, Recipe},
    shown,
};

/// Where the file lies, below the home directory or the project.
const FILE: &str = ".gemini/settings.json";

/// The recipe.
pub fn recipe(entry: &Entry, scope: Scope, places: &Places) -> Recipe {
    let reference = format!("${}", entry.variable);
    let Entry { name, url, .. } = entry;
    let flag = match scope {
        Scope::User => "user",
        Scope::Project => "project",
    };
    let value = json!({
        "url": (url.as_str()),
        "type": "http",
        "headers": { "Authorization": (entry.authorization(&reference)) }
    });
    Recipe {
        title: "Gemini CLI",
        file: places.of_scope(scope, FILE, FILE),
        member: Member::Json(JsonMember {
            dialect: Dialect::WithComments,
            table: "mcpServers",
            name: name.clone(),
            value,
            prompt: None,
        }),
        command: Some(format!(
            "gemini mcp add --transport http --scope {flag} --header 'Authorization: Bearer {reference}' {name} {}",
            shown::quoted(url)
        )),
        link: None,
        then: format!(
            "{}`gemini mcp list` shows whether it is connected. It leaves all servers out in folders that it does not trust.",
            shown::environment(entry, "Gemini CLI")
        ),
    }
}

//! Cursor: `~/.cursor/mcp.json` for a person, `.cursor/mcp.json` for a project. It expands `${env:VARIABLE}`, and has an
//! install link.

use jsonc_parser::json;

use super::{
    Scope,
    entry::Entry,
    json_member::{Dialect, JsonMember, plain},
    link,
    places::Places,
    recipe::{Member, Recipe},
    shown,
};

/// Where the file lies, below the home directory or the project.
const FILE: &str = ".cursor/mcp.json";

/// The recipe.
pub fn recipe(entry: &Entry, scope: Scope, places: &Places) -> Recipe {
    let reference = format!("${{env:{}}}", entry.variable);
    let Entry { name, url, .. } = entry;
    let told = |authorization: String| {
        json!({
            "url": (url.as_str()),
            "headers": { "Authorization": authorization }
        })
    };
    let linked = plain(&told(format!("Bearer {reference}")));
    Recipe {
        title: "Cursor",
        file: places.of_scope(scope, FILE, FILE),
        member: Member::Json(JsonMember {
            dialect: Dialect::WithComments,
            table: "mcpServers",
            name: name.clone(),
            value: told(entry.authorization(&reference)),
            prompt: None,
        }),
        command: None,
        link: Some(format!(
            "cursor://anysphere.cursor-deeplink/mcp/install?name={name}&config={}",
            link::base64_of(&linked)
        )),
        then: format!("{}Cursor's settings show it under MCP.", shown::environment(entry, "Cursor")),
    }
}

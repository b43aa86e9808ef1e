//! Visual Studio Code: `mcp.json` of the default profile for a person, `.vscode/mcp.json` for a project. Its table is
//! called `servers`. It asks for the token itself and keeps the answer in its own secret store; its install link and
//! its command take the same question.

use jsonc_parser::{cst::CstInputValue, json};
use serde_json::json as plain_json;

use super::{
    Scope,
    entry::Entry,
    json_member::{Dialect, JsonMember, Prompt, plain},
    link,
    places::Places,
    recipe::{Member, Recipe},
};

/// The recipe.
pub fn recipe(entry: &Entry, scope: Scope, places: &Places) -> Recipe {
    let Entry { name, url, .. } = entry;
    let id = format!("{name}-token");
    let reference = format!("${{input:{id}}}");
    let file = match scope {
        Scope::User => places.vscode().join("mcp.json"),
        Scope::Project => places.of_scope(scope, "", ".vscode/mcp.json"),
    };
    let question = question(&id);
    let linked = plain_json!({
        "name": name,
        "type": "http",
        "url": url,
        "headers": { "Authorization": format!("Bearer {reference}") },
        "inputs": [plain(&question)],
    })
    .to_string();
    let value = json!({
        "type": "http",
        "url": (url.as_str()),
        "headers": { "Authorization": (entry.authorization(&reference)) }
    });
    let then = if entry.holds_token() {
        "Start the server in VS Code: `MCP: List Servers` in the command palette."
    } else {
        "VS Code asks for the token when it first starts the server: `MCP: List Servers` in the command palette."
    };
    Recipe {
        title: "VS Code",
        file,
        member: Member::Json(JsonMember {
            dialect: Dialect::WithComments,
            table: "servers",
            name: name.clone(),
            value,
            prompt: (!entry.holds_token()).then_some(Prompt { id, value: question }),
        }),
        command: (scope == Scope::User).then(|| format!("code --add-mcp '{linked}'")),
        link: Some(format!("vscode:mcp/install?{}", link::encoded(&linked))),
        then: then.to_owned(),
    }
}

/// The question for the token.
fn question(id: &str) -> CstInputValue {
    json!({
        "type": "promptString",
        "id": id,
        "description": "Grant token of the Portcullis gateway",
        "password": true
    })
}

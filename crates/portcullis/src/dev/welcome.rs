//! What `dev` prints when it is ready: where things are, the line to paste, and three things to try.

use std::path::Path;

use authority::grant;
use keyring::token::Token;

use crate::{cli::Output, data_dir::DataDir, demo::HIDDEN_TOOL};

/// What there is to say.
pub struct Welcome {
    /// Where agents reach the demo server.
    pub url: String,
    /// Where operators reach the gateway.
    pub admin_url: String,
    /// Where everything is.
    pub data_dir: DataDir,
    /// The first grant.
    pub grant: grant::Id,
    /// Its token, if it was issued just now.
    pub token: Option<Token>,
}

impl Welcome {
    /// Prints it, for people or for programs.
    pub fn print(&self, output: Output) {
        match output {
            Output::Json => println!("{}", self.json()),
            _ => println!("{}", self.text()),
        }
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "url": self.url,
            "token": self.token.as_ref().map(Token::reveal),
            "server": super::DEMO,
            "grant": self.grant.to_string(),
            "hidden_tool": HIDDEN_TOOL,
            "admin_url": self.admin_url,
            "context": self.data_dir.context().display().to_string(),
        })
    }

    fn text(&self) -> String {
        let Self { url, grant, .. } = self;
        let portcullis = own_command();
        let (shown, token) = match &self.token {
            Some(token) => (format!("{}   (shown this once)", token.reveal()), token.reveal().to_owned()),
            None => (
                format!(
                    "was shown at the first start; for a new one: TOKEN=$({portcullis} grant rotate {grant} -o token)"
                ),
                "$TOKEN".to_owned(),
            ),
        };
        let context = if self.data_dir.root() == Path::new("./.portcullis-dev") {
            String::new()
        } else {
            format!("export PORTCULLIS_CONTEXT={}\n   ", self.data_dir.context().display())
        };
        format!(
            "\nPortcullis is ready: one node on loopback, data in {data}\n\n\
             URL      {url}\n\
             Token    {shown}\n\n\
             Claude Code\n   \
             claude mcp add --transport http portcullis-demo {url} --header \"Authorization: Bearer {token}\"\n\n\
             Codex\n   \
             export PORTCULLIS_TOKEN={token}\n   \
             codex mcp add portcullis-demo --url {url} --bearer-token-env-var PORTCULLIS_TOKEN\n\n\
             Three things to try. Ask your agent, or paste this into another terminal in this directory:\n\n   \
             {context}{call}\n\n\
             1. Allowed: the demo server gets a secret that you never had.\n   \
             call echo\n\n\
             2. Denied: the grant does not reach this tool, and its list does not show it.\n   \
             call {HIDDEN_TOOL}\n\n\
             3. Revoked: then `call echo` again.\n   \
             {portcullis} grant revoke {grant}\n\n\
             And what happened, in order:\n   \
             {portcullis} audit list\n\n\
             Stop with Ctrl-C. This gateway is for development: it listens on loopback, without TLS.\n",
            data = self.data_dir.root().display(),
            call = example_call(url, &token),
        )
    }
}

/// How the user can run this very program again: as a path from here where that is shorter.
fn own_command() -> String {
    let Ok(own) = std::env::current_exe() else { return "portcullis".to_owned() };
    let here = std::env::current_dir().unwrap_or_default();
    own.strip_prefix(&here).unwrap_or(&own).display().to_string()
}

/// A shell function that calls a tool of the demo by its name.
fn example_call(url: &str, token: &str) -> String {
    format!(
        "call() {{ curl -s {url} -H \"Authorization: Bearer {token}\" \\\n     \
         -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \\\n     \
         -H 'MCP-Protocol-Version: 2026-07-28' -H 'Mcp-Method: tools/call' -H \"Mcp-Name: $1\" \\\n     \
         -d '{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{{\"name\":\"'\"$1\"'\",\"arguments\":{{\"text\":\"hello\"}},\
         \"_meta\":{{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/clientCapabilities\":{{}}}}}}}}'; echo; }}"
    )
}

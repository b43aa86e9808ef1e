//! What `dev` prints when it is ready: where things are, the line to paste, and three things to try.

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
        let context = match self.data_dir.root() == std::path::Path::new("./.portcullis-dev") {
            true => String::new(),
            false => format!("export PORTCULLIS_CONTEXT={}\n    ", self.data_dir.context().display()),
        };
        let portcullis = "target/release/portcullis";
        let (shown, token) = match &self.token {
            Some(token) => (format!("Token    {}   (shown this once)", token.reveal()), token.reveal().to_owned()),
            None => (
                format!("Token    was shown at the first start; for a new one: {portcullis} grant rotate {grant}"),
                "$TOKEN".to_owned(),
            ),
        };
        format!(
            "\nPortcullis is ready: one node on loopback, data in {data}\n\n\
             URL      {url}\n\
             {shown}\n\n\
             Claude Code:\n    claude mcp add --transport http portcullis-demo {url} --header \"Authorization: Bearer {token}\"\n\n\
             Codex:\n    export PORTCULLIS_TOKEN={token}\n    codex mcp add portcullis-demo --url {url} --bearer-token-env-var PORTCULLIS_TOKEN\n\n\
             Three things to try, from another terminal in this directory:\n\n\
             1. Allowed. Ask your agent to use `echo`, or without one:\n    \
             curl -s {url} -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' \\\n      \
             -H 'Accept: application/json, text/event-stream' -H 'MCP-Protocol-Version: 2026-07-28' \\\n      \
             -H 'Mcp-Method: tools/call' -H 'Mcp-Name: echo' \\\n      \
             -d '{call}'\n\n\
             2. Denied. The same with `{HIDDEN_TOOL}` for `echo`, which the grant does not reach.\n\n\
             3. Revoked. Then try 1 again:\n    \
             {context}{portcullis} grant revoke {grant}\n\n\
             What happened, in order:\n    {portcullis} audit list\n\n\
             Stop with Ctrl-C. This is a development gateway: it listens on loopback without TLS.\n",
            data = self.data_dir.root().display(),
            call = self.example_call("echo"),
        )
    }

    fn example_call(&self, tool: &str) -> serde_json::Value {
        serde_json::json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {
                "name": tool,
                "arguments": {"text": "hello"},
                "_meta": {
                    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                    "io.modelcontextprotocol/clientCapabilities": {}
                }
            }
        })
    }
}

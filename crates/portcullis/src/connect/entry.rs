//! What every client is told, whatever its file looks like: a name, a URL, and where the token comes from.
//!
//! Everything in an entry is checked here, once, so that the clients' files can be written without escaping and the
//! shown commands can be pasted. What must stay true: only a grant's token gets in, never an operator's.

use std::{
    fs::File,
    io::{IsTerminal as _, Read, stdin},
    net::IpAddr,
    path::Path,
};

use anyhow::{Context as _, Result, bail, ensure};
use authority::server::Endpoint;
use keyring::{
    Secret,
    token::{self, MAX_TOKEN_BYTES, Token, TokenKind},
};

/// The longest name of an entry. Clients put it in front of each tool's name and cut at 60 to 64 characters.
const MAX_ENTRY_NAME_BYTES: usize = 48;

/// The longest name of an environment variable; far above any in use.
const MAX_VARIABLE_BYTES: usize = 128;

/// How much of a token file is read: a token, and the line end that an editor or `echo` puts behind it.
const MAX_TOKEN_FILE_BYTES: u64 = MAX_TOKEN_BYTES as u64 + 2;

/// What a client is told.
pub struct Entry {
    /// What the client calls the server.
    pub name: String,
    /// Where it finds the server at the gateway.
    pub url: String,
    /// The environment variable that holds the token, for a client that has no token of its own.
    pub variable: String,
    /// Parsed from `url`.
    endpoint: Endpoint,
    token: Option<Token>,
}

impl Entry {
    /// An entry whose URL is one that every client reads alike.
    ///
    /// # Errors
    /// The URL is none, or carries more than an origin and a plain path.
    pub fn new(name: String, url: String, variable: String, token: Option<Token>) -> Result<Self> {
        let endpoint = Endpoint::parse(&url).with_context(|| format!("{url:?} is not a URL of a gateway"))?;
        // Clients expand `$`, shells split at `&`, and a query is where tokens leak from.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:[]".contains(&byte);
        ensure!(
            url.bytes().all(plain),
            "{url:?} carries more than a host and a plain path: give it as https://HOST:PORT/mcp/SERVER/"
        );
        Ok(Self { name, url, variable, endpoint, token })
    }

    /// The value of the `Authorization` header: with the token if there is one, else with `reference`, which is how
    /// this client spells "the token, from elsewhere".
    pub fn authorization(&self, reference: &str) -> String {
        format!("Bearer {}", self.token.as_ref().map_or(reference, Token::reveal))
    }

    /// Whether the token itself is in it.
    pub fn holds_token(&self) -> bool {
        self.token.is_some()
    }

    /// Whether the token would travel without TLS to another machine.
    pub fn is_readable_on_the_way(&self) -> bool {
        let host = self.endpoint.origin.host();
        let on_this_machine =
            host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        !self.endpoint.origin.is_tls() && !on_this_machine
    }
}

/// Checks the name of an entry: what all clients accept, and what needs no quotes in any of their files.
pub fn name(text: &str) -> Result<String> {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    ensure!(
        (1..=MAX_ENTRY_NAME_BYTES).contains(&text.len())
            && text.bytes().all(inner)
            && text.as_bytes()[0].is_ascii_alphanumeric(),
        "a name has 1 to {MAX_ENTRY_NAME_BYTES} letters, digits, `-` and `_`, and begins with a letter or digit"
    );
    Ok(text.to_owned())
}

/// Checks the name of an environment variable.
pub fn variable(text: &str) -> Result<String> {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    ensure!(
        (1..=MAX_VARIABLE_BYTES).contains(&text.len())
            && text.bytes().all(inner)
            && !text.as_bytes()[0].is_ascii_digit(),
        "a variable has letters, digits and `_`, and does not begin with a digit"
    );
    Ok(text.to_owned())
}

/// Reads a grant's token from a file, or from standard input if the file is `-`.
///
/// # Errors
/// There is no token, or it is of another kind. Nothing of what was read is in the error.
pub fn read_token(file: &Path) -> Result<Token> {
    let token = if file == Path::new("-") {
        if stdin().is_terminal() {
            eprintln!("Paste the token, then a line feed and Ctrl-D. It will be visible as you type.");
        }
        token_of(stdin().lock()).context("no token on standard input")?
    } else {
        let open = || token_of(File::open(file)?);
        open().with_context(|| format!("no token in {}", file.display()))?
    };
    match token.kind() {
        TokenKind::Grant => Ok(token),
        TokenKind::Operator | TokenKind::Join => bail!(
            "this is a token of the gateway's own administration, which no client may hold: \
             `portcullis grant issue` makes one for clients"
        ),
    }
}

fn token_of(source: impl Read) -> Result<Token> {
    // The whole capacity at once: a vector that grows leaves its old bytes behind unwiped.
    let mut bytes = Vec::with_capacity(MAX_TOKEN_BYTES + 3);
    source.take(MAX_TOKEN_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    let read = Secret::new(bytes);
    Ok(token::parse(read.expose().trim_ascii_end())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(url: &str) -> Result<Entry> {
        Entry::new("gw".to_owned(), url.to_owned(), "T".to_owned(), None)
    }

    #[test]
    fn a_url_that_a_client_or_a_shell_would_change_is_refused() {
        for url in [
            "https://gw.example/mcp/x/?token=1",
            "https://gw.example/mcp/$HOME/",
            "https://gw.example/mcp/'x'/",
            "https://user@gw.example/mcp/x/",
            "gw.example/mcp/x/",
        ] {
            assert!(entry(url).is_err(), "{url}");
        }
        assert!(entry("https://gw.example:8443/mcp/x/").is_ok());
        assert!(entry("http://[::1]:7450/mcp/x/").is_ok());
    }

    #[test]
    fn only_plain_http_to_another_machine_is_readable_on_the_way() {
        for (url, readable) in [
            ("http://gw.example/mcp/x/", true),
            ("http://10.0.0.7:7450/mcp/x/", true),
            ("http://127.0.0.1:7450/mcp/x/", false),
            ("http://[::1]:7450/mcp/x/", false),
            ("http://localhost:7450/mcp/x/", false),
            ("https://gw.example/mcp/x/", false),
        ] {
            assert_eq!(entry(url).unwrap().is_readable_on_the_way(), readable, "{url}");
        }
    }

    #[test]
    fn names_and_variables_need_no_quotes_anywhere() {
        assert!(name("portcullis-github_2").is_ok());
        assert!(variable("_TOKEN_2").is_ok());
        for refused in ["", "-x", "a b", "a.b", "a\"b", "é"] {
            assert!(name(refused).is_err() && variable(refused).is_err(), "{refused:?}");
        }
        assert!(variable("2X").is_err());
        assert!(name(&"x".repeat(MAX_ENTRY_NAME_BYTES + 1)).is_err());
    }
}

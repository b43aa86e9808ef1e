//! `portcullis connect`: what a client of MCP must be told so that it goes through the gateway, in the client's own
//! words; shown, merged into the client's own file, or as a link.
//!
//! It talks to nobody: the grant and its token are made with `portcullis grant`. What must stay true: a token is
//! written only where one was given, it is never printed, and no link ever carries one. Everywhere else the client gets
//! a reference to its environment, or asks the person.

mod claude_code;
mod codex;
mod cursor;
mod entry;
mod gemini;
mod install;
mod json_member;
mod link;
mod places;
mod recipe;
mod shown;
mod toml_member;
mod vscode;
mod windsurf;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use authority::server;
use clap::ValueEnum;

use self::{entry::Entry, install::RawToken, places::Places, recipe::Recipe};
use crate::{cli::Global, context::Context};

/// A client of MCP that `connect` knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Client {
    /// Claude Code.
    ClaudeCode,
    /// The Codex command line.
    Codex,
    /// The Gemini command line.
    Gemini,
    /// Cursor.
    Cursor,
    /// Visual Studio Code.
    #[value(name = "vscode")]
    VsCode,
    /// Windsurf.
    Windsurf,
}

/// For whom the client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scope {
    /// For the person, in every project.
    User,
    /// For everybody who works in this directory.
    Project,
}

/// What `connect` takes.
#[derive(clap::Args)]
pub struct Arguments {
    /// The client to connect.
    #[arg(value_enum)]
    client: Client,
    /// The server behind the gateway, by its name there.
    #[arg(long, value_name = "NAME", value_parser = server::Id::parse)]
    server: server::Id,
    /// The whole URL of the server at the gateway. Without it: `data_url` of the context, and `/mcp/NAME/`.
    #[arg(long)]
    url: Option<String>,
    /// Write the grant token in this file into the client's own; `-` reads it from standard input. Without it the
    /// client gets a reference to its environment, or asks.
    #[arg(long, value_name = "FILE", requires = "install")]
    token_file: Option<PathBuf>,
    /// The environment variable in which the client finds the token.
    #[arg(long, value_name = "VARIABLE", default_value = "PORTCULLIS_TOKEN", value_parser = entry::variable)]
    token_env: String,
    /// What the client calls the server. Without it: `portcullis-NAME`.
    #[arg(long, value_name = "ENTRY", value_parser = entry::name)]
    name: Option<String>,
    /// For this person in every project, or for everybody who works in this directory.
    #[arg(long, value_enum, default_value_t = Scope::User)]
    scope: Scope,
    /// Show what belongs into the client's file, and change nothing. This is the default.
    #[arg(long, group = "act")]
    print: bool,
    /// Merge it into the client's file. The file as it was is kept beside it, with `.bak` behind its name.
    #[arg(long, group = "act")]
    install: bool,
    /// Print a link that installs it, without any token.
    #[arg(long, group = "act")]
    link: bool,
    /// Write the token even if the client's file lies in a git work tree, from which it may be committed.
    #[arg(long, requires = "token_file")]
    token_in_work_tree: bool,
}

/// Runs the command.
///
/// # Errors
/// Says what is missing or in the way, and what to do instead; the client's file is then as it was.
pub fn run(arguments: &Arguments, global: &Global) -> Result<()> {
    let entry = entry(arguments, global.context.as_deref())?;
    if entry.is_readable_on_the_way() {
        eprintln!(
            "warning: {} has no TLS, so everybody on the way can read the token: use https, or a gateway on this machine",
            entry.url
        );
    }
    let recipe = arguments.client.recipe(&entry, arguments.scope, &Places::of_environment()?)?;
    if arguments.link {
        let Some(link) = &recipe.link else {
            bail!(
                "{} has no install link: use --print or --install; Cursor and VS Code have one",
                recipe.title
            );
        };
        return shown::link(&recipe, &entry, link, global.output);
    }
    if !arguments.install {
        return shown::recipe(&recipe, &entry, global.output);
    }
    let raw_token = match (entry.holds_token(), arguments.token_in_work_tree) {
        (false, _) => RawToken::None,
        (true, false) => RawToken::OutsideWorkTrees,
        (true, true) => RawToken::Anywhere,
    };
    let installed = install::install(&recipe.file, &recipe.member, raw_token)?;
    shown::installed(&recipe, &entry, &installed, global.output)
}

impl Client {
    fn recipe(self, entry: &Entry, scope: Scope, places: &Places) -> Result<Recipe> {
        match self {
            Self::ClaudeCode => Ok(claude_code::recipe(entry, scope, places)),
            Self::Codex => Ok(codex::recipe(entry, scope, places)),
            Self::Gemini => Ok(gemini::recipe(entry, scope, places)),
            Self::Cursor => Ok(cursor::recipe(entry, scope, places)),
            Self::VsCode => Ok(vscode::recipe(entry, scope, places)),
            Self::Windsurf => windsurf::recipe(entry, scope, places),
        }
    }
}

fn entry(arguments: &Arguments, context: Option<&Path>) -> Result<Entry> {
    let server = &arguments.server;
    let url = match &arguments.url {
        Some(url) => url.clone(),
        None => format!("{}/mcp/{server}/", data_url(context)?.trim_end_matches('/')),
    };
    let name = arguments.name.clone().unwrap_or_else(|| format!("portcullis-{server}"));
    let token = arguments.token_file.as_deref().map(entry::read_token).transpose()?;
    Entry::new(name, url, arguments.token_env.clone(), token)
}

/// Where agents reach the gateway, as the context says.
fn data_url(context: Option<&Path>) -> Result<String> {
    let context =
        Context::find(context).context("give --url, or a context that says where the gateway is")?;
    context.data_url.context(
        "the context does not say where agents reach the gateway: give --url, \
         or add data_url = \"https://HOST:PORT\" to the context file",
    )
}

//! The gateway under measurement: the built binary, set up and driven as an operator would, over its command line.
//!
//! One server with a credential, one person, and grants for all of the load's tools but every tenth of the list. What
//! must stay true: nothing here knows the gateway from inside; it could be any release.

use std::{
    ffi::OsStr,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitStatus,
};

use anyhow::{Context, Result};

use crate::{
    program::{self, Program, TARGET_CORE, free_addresses},
    upstream,
};

/// The server's name at the gateway.
const SERVER: &str = "load";

/// Who holds the grants.
const PRINCIPAL: &str = "loadtest";

/// The tools the grants reach: what the load calls, and nine of ten of the list.
const TOOLS: [&str; 6] = ["small", "events", "large", "held", "release", "read_*"];

/// When a call may go on after its intent was written; the gateway's two kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// When a kill of the process cannot take it back.
    Written,
    /// When a power loss cannot take it back.
    Synced,
}

/// A running gateway.
#[derive(Debug)]
pub struct Gateway {
    /// Where agents reach it.
    pub address: SocketAddr,
    program: Program,
    command_line: CommandLine,
    root: PathBuf,
}

/// The command line of one gateway.
#[derive(Clone, Debug)]
struct CommandLine {
    binary: PathBuf,
    context: PathBuf,
}

impl Durability {
    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Synced => "synced",
        }
    }
}

impl Gateway {
    /// Founds a gateway in `root`, starts it on the target's processor and puts `upstream` behind it.
    pub async fn start(
        binary: &Path,
        root: &Path,
        durability: Durability,
        upstream: SocketAddr,
    ) -> Result<Self> {
        std::fs::create_dir_all(root)?;
        let command_line = CommandLine { binary: binary.to_owned(), context: root.join("data/context.toml") };
        let [data, admin, health] = free_addresses(3)?[..] else { unreachable!("three were asked for") };
        let directory = root.join("data");
        let (named, url) = (directory.display().to_string(), format!("https://{admin}"));
        let said = command_line.run(&["init", "--dir", &named, "--admin-url", &url], None).await?;
        let token = said.lines().next().context("init printed no token")?;
        std::fs::write(directory.join("operator-token"), token)?;
        let configuration = root.join("portcullis.toml");
        let durability = durability.name();
        let text = format!(
            "[node]\ndata_dir = {named:?}\n[data]\nlisten = \"{data}\"\n[admin]\nlisten = \"{admin}\"\n\
             [health]\nlisten = \"{health}\"\n[audit]\ndurability = \"{durability}\"\n\
             [upstream]\nprivate_networks = [\"127.0.0.0/8\"]\n"
        );
        std::fs::write(&configuration, text)?;
        let log = root.join("gateway.log");
        let arguments = [OsStr::new("run"), OsStr::new("--config"), configuration.as_os_str()];
        let mut program = Program::start(binary, &arguments, TARGET_CORE, &log)?;
        program.first_line().await.with_context(|| {
            format!("the gateway did not become ready: {}", std::fs::read_to_string(&log).unwrap_or_default())
        })?;
        let gateway = Self { address: data, program, command_line, root: root.to_owned() };
        gateway.set_up(upstream).await?;
        Ok(gateway)
    }

    async fn set_up(&self, upstream: SocketAddr) -> Result<()> {
        let cli = &self.command_line;
        let url = format!("http://{upstream}{}", upstream::PATH);
        cli.run(&["server", "add", SERVER, "--url", &url], None).await?;
        cli.run(&["credential", "set", SERVER], Some(upstream::SECRET.as_bytes())).await?;
        cli.run(&["principal", "add", PRINCIPAL, "--kind", "service"], None).await?;
        Ok(())
    }

    /// Issues a grant and answers its token.
    pub async fn issue_grant(&self) -> Result<String> {
        let mut arguments =
            vec!["grant", "issue", "--principal", PRINCIPAL, "--server", SERVER, "-o", "token"];
        arguments.extend(TOOLS.iter().flat_map(|tool| ["--tool", tool]));
        Ok(self.command_line.run(&arguments, None).await?.trim().to_owned())
    }

    /// The path of the server at the gateway.
    pub fn path() -> String {
        format!("/mcp/{SERVER}/")
    }

    /// The id of the process.
    pub fn pid(&self) -> u32 {
        self.program.pid()
    }

    /// Asks it to stop, and waits until it has.
    pub async fn stop(self) -> Result<Stopped> {
        let status = self.program.stop().await?;
        Ok(Stopped { status, archive: self.root.join("data/archive"), command_line: self.command_line })
    }
}

/// A gateway that has stopped and left its record.
#[derive(Debug)]
pub struct Stopped {
    /// How it ended.
    pub status: ExitStatus,
    archive: PathBuf,
    command_line: CommandLine,
}

impl Stopped {
    /// Verifies the archive with the gateway's own command, and answers what it said.
    pub async fn verify_audit(&self) -> Result<String> {
        let archive = self.archive.display().to_string();
        self.command_line.run(&["audit", "verify", "--archive", &archive, "-o", "json"], None).await
    }
}

impl CommandLine {
    async fn run(&self, arguments: &[&str], input: Option<&[u8]>) -> Result<String> {
        program::run(&self.binary, arguments, &[("PORTCULLIS_CONTEXT", &self.context)], input).await
    }
}

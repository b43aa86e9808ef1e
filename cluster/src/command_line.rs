//! The gateway's own command line, run as an operator would, with everything it prints kept.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::{io::AsyncWriteExt, process::Command, time::timeout};

/// How long one command may take.
const COMMAND: Duration = Duration::from_secs(60);

/// The command line of one gateway.
#[derive(Clone)]
pub struct CommandLine {
    binary: PathBuf,
    context: PathBuf,
    transcript: Arc<Mutex<Vec<u8>>>,
}

/// What a command printed.
#[derive(Clone, Debug)]
pub struct Said {
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// Whether it exited with 0.
    pub succeeded: bool,
}

impl CommandLine {
    /// The command line that talks to the gateway of `context`.
    pub fn new(binary: &Path, context: &Path) -> Self {
        Self { binary: binary.to_owned(), context: context.to_owned(), transcript: Arc::default() }
    }

    /// Runs a command, with `input` on its standard input, and answers what it printed, whatever its exit status.
    pub async fn try_run(&self, arguments: &[&str], input: Option<&[u8]>) -> Result<Said> {
        let mut command = Command::new(&self.binary);
        command.args(arguments).env("PORTCULLIS_CONTEXT", &self.context).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().context("cannot start the command line")?;
        let mut stdin = child.stdin.take().context("the command has no standard input")?;
        stdin.write_all(input.unwrap_or_default()).await?;
        drop(stdin);
        let output =
            timeout(COMMAND, child.wait_with_output()).await.context("the command did not end")??;
        let mut transcript = self.transcript.lock().unwrap_or_else(PoisonError::into_inner);
        transcript.extend_from_slice(&output.stdout);
        transcript.extend_from_slice(&output.stderr);
        Ok(Said {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            succeeded: output.status.success(),
        })
    }

    /// Runs a command that has to succeed.
    pub async fn run(&self, arguments: &[&str], input: Option<&[u8]>) -> Result<Said> {
        let said = self.try_run(arguments, input).await?;
        if !said.succeeded {
            bail!("portcullis {} failed: {}", arguments.join(" "), said.stderr.trim());
        }
        Ok(said)
    }

    /// Runs a command with `-o json` and reads what it printed.
    pub async fn json(&self, arguments: &[&str], input: Option<&[u8]>) -> Result<Value> {
        let arguments = [arguments, &["-o", "json"]].concat();
        let said = self.run(&arguments, input).await?;
        serde_json::from_str(&said.stdout).with_context(|| format!("not JSON: {:?}", said.stdout))
    }

    /// Everything the commands printed so far.
    pub fn transcript(&self) -> Vec<u8> {
        self.transcript.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

//! A real gateway process: founded, started, killed, started again.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
    time::timeout,
};

use crate::command_line::CommandLine;

/// How long a gateway may take to become ready; a slow machine under load needs seconds.
const READY: Duration = Duration::from_secs(60);

/// The files and addresses of one gateway, across its starts.
#[derive(Clone, Debug)]
pub struct Site {
    /// The binary.
    pub binary: PathBuf,
    /// The directory that holds everything of this gateway.
    pub root: PathBuf,
    /// Where agents reach it.
    pub data: SocketAddr,
    /// Where operators reach it.
    pub admin: SocketAddr,
    /// The planted bug, if any.
    pub plant: Option<String>,
}

/// A running gateway. Dropping it kills the process.
pub struct Gateway {
    child: Child,
}

impl Site {
    /// Founds a gateway in `root` with `portcullis init`, and writes its configuration.
    pub async fn found(binary: &Path, root: &Path, plant: Option<String>) -> Result<Self> {
        let (data, admin, health) = free_ports().await?;
        let site = Self { binary: binary.to_owned(), root: root.to_owned(), data, admin, plant };
        let url = format!("https://{admin}");
        let init = ["init", "--dir", &site.path("data"), "--admin-url", &url];
        let said = site.command_line().run(&init, None).await?;
        let token = said.stdout.lines().next().context("init printed no token")?;
        std::fs::write(site.root.join("data/operator-token"), token)?;
        let config = format!(
            "[node]\ndata_dir = {:?}\n[data]\nlisten = \"{data}\"\n[admin]\nlisten = \"{admin}\"\n\
             [health]\nlisten = \"{health}\"\n[audit]\ndurability = \"synced\"\n\
             [upstream]\nprivate_networks = [\"127.0.0.0/8\"]\n",
            site.path("data")
        );
        std::fs::write(site.root.join("portcullis.toml"), config)?;
        Ok(site)
    }

    /// The command line against this gateway.
    pub fn command_line(&self) -> CommandLine {
        CommandLine::new(&self.binary, &self.root.join("data/context.toml"))
    }

    /// Starts the process and waits until it says that it is ready.
    pub async fn start(&self) -> Result<Gateway> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log())?;
        let mut command = Command::new(&self.binary);
        command.args(["run", "--config", &self.path("portcullis.toml")]);
        command.env_clear().env("RUST_LOG", "debug").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        if let Some(plant) = &self.plant {
            command.env("PORTCULLIS_PLANT", plant);
        }
        let mut child = command.kill_on_drop(true).spawn().context("cannot start the gateway")?;
        let stdout = child.stdout.take().context("the gateway has no standard output")?;
        let mut line = String::new();
        let read = timeout(READY, BufReader::new(stdout).read_line(&mut line)).await;
        if !matches!(read, Ok(Ok(count)) if count > 0) {
            bail!("the gateway did not become ready; its log is {}", self.log().display());
        }
        Ok(Gateway { child })
    }

    /// Where the process logs, over all its starts.
    pub fn log(&self) -> PathBuf {
        self.root.join("gateway.log")
    }

    fn path(&self, name: &str) -> String {
        self.root.join(name).display().to_string()
    }
}

impl Gateway {
    /// The id of the process.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Kills it with SIGKILL and waits until it is gone.
    pub async fn kill(mut self) -> Result<()> {
        self.child.kill().await.context("cannot kill the gateway")
    }

    /// Asks it to stop with SIGTERM and waits until it has.
    pub async fn stop(mut self) -> Result<std::process::ExitStatus> {
        let pid = self.child.id().and_then(|pid| rustix::process::Pid::from_raw(pid.cast_signed()));
        let pid = pid.context("the gateway is gone already")?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let status = timeout(READY, self.child.wait()).await.context("the gateway did not stop")??;
        Ok(status)
    }
}

/// Three loopback ports that were free a moment ago.
async fn free_ports() -> Result<(SocketAddr, SocketAddr, SocketAddr)> {
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(TcpListener::bind("127.0.0.1:0").await?);
    }
    Ok((held[0].local_addr()?, held[1].local_addr()?, held[2].local_addr()?))
}

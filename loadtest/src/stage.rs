//! What stands on the stage of a run: the fake upstream, and in front of it everything that is compared.
//!
//! All of it runs at the same time and only one of it is ever loaded, so that the rounds can go from one to the next. The
//! idle ones share the target's processor; what an idle gateway does there is far below the resolution of a round.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::Result;
use clap::ValueEnum;
use tempfile::TempDir;

use crate::{
    gateway::{Durability, Gateway, Stopped},
    nginx,
    program::{LOAD_CORE, Program, TARGET_CORE},
    upstream,
};

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// The upstream itself.
    Direct,
    /// The lower floor.
    Splice,
    /// The upper floor.
    Forwarder,
    /// The peer.
    Nginx,
    /// The gateway, going on when a record is written.
    Written,
    /// The gateway, going on when a record is on disk.
    Synced,
}

/// Something that load can be put on.
#[derive(Clone, Debug)]
pub struct Target {
    /// What it is.
    pub kind: Kind,
    /// Where it listens.
    pub address: SocketAddr,
    /// The path of the MCP endpoint.
    pub path: String,
    /// The token it accepts.
    pub bearer: String,
    /// The process whose cost counts.
    pub pid: u32,
}

/// Everything that runs.
pub struct Stage {
    /// What load can be put on, in the order of the table.
    pub targets: Vec<Target>,
    /// What was asked for and is not there, with the reason.
    pub skipped: Vec<(Kind, &'static str)>,
    programs: Vec<Program>,
    gateways: Vec<Gateway>,
    upstream: SocketAddr,
    binary: PathBuf,
    root: TempDir,
}

impl Kind {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 6] =
        [Self::Direct, Self::Splice, Self::Forwarder, Self::Nginx, Self::Written, Self::Synced];

    /// Its name in a table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Splice => "splice",
            Self::Forwarder => "forwarder",
            Self::Nginx => "nginx",
            Self::Written => "portcullis written",
            Self::Synced => "portcullis synced",
        }
    }
}

impl Stage {
    /// Starts the upstream. `binary` is the gateway's.
    pub async fn open(binary: &Path) -> Result<Self> {
        let root = tempfile::Builder::new().prefix("loadtest-").tempdir()?;
        let (program, upstream) =
            Program::start_role("upstream", &[], LOAD_CORE, &root.path().join("upstream.log")).await?;
        Ok(Self {
            targets: Vec::new(),
            skipped: Vec::new(),
            programs: vec![program],
            gateways: Vec::new(),
            upstream,
            binary: binary.to_owned(),
            root,
        })
    }

    /// Starts the upstream and all of `kinds` in front of it.
    pub async fn with(binary: &Path, kinds: &[Kind]) -> Result<Self> {
        let mut stage = Self::open(binary).await?;
        for kind in kinds {
            stage.add(*kind).await?;
        }
        Ok(stage)
    }

    /// The upstream itself, as a target.
    pub fn upstream(&self) -> Target {
        self.plain(Kind::Direct, self.upstream, self.programs[0].pid())
    }

    /// Starts one more target, or notes why it is missing.
    pub async fn add(&mut self, kind: Kind) -> Result<()> {
        let target = match kind {
            Kind::Direct => self.upstream(),
            Kind::Splice => self.floor(kind, "splice").await?,
            Kind::Forwarder => self.floor(kind, "forwarder").await?,
            Kind::Nginx => {
                let Some((program, address)) = nginx::start(&self.directory("nginx"), self.upstream).await?
                else {
                    self.skipped.push((kind, nginx::MISSING));
                    return Ok(());
                };
                let target = self.plain(kind, address, program.pid());
                self.programs.push(program);
                Target { bearer: nginx::TOKEN.to_owned(), ..target }
            }
            Kind::Written => self.gateway(kind, Durability::Written).await?,
            Kind::Synced => self.gateway(kind, Durability::Synced).await?,
        };
        self.targets.push(target);
        Ok(())
    }

    /// Tokens for `count` more grants of a target: the gateway's are new ones, everything else has only the one.
    pub async fn tokens(&self, target: &Target, count: usize) -> Result<Vec<String>> {
        let Some(gateway) = self.gateways.iter().find(|gateway| gateway.pid() == target.pid) else {
            return Ok(vec![target.bearer.clone(); count]);
        };
        let mut tokens = Vec::new();
        for _ in 0..count {
            tokens.push(gateway.issue_grant().await?);
        }
        Ok(tokens)
    }

    /// Stops everything, and answers the gateways' records.
    pub async fn close(self) -> Result<(Vec<Stopped>, TempDir)> {
        let mut stopped = Vec::new();
        for gateway in self.gateways {
            stopped.push(gateway.stop().await?);
        }
        for program in self.programs.into_iter().rev() {
            program.stop().await?;
        }
        Ok((stopped, self.root))
    }

    async fn floor(&mut self, kind: Kind, role: &str) -> Result<Target> {
        let upstream = self.upstream.to_string();
        let log = self.root.path().join(format!("{role}.log"));
        let (program, address) =
            Program::start_role(role, &["--upstream", &upstream], TARGET_CORE, &log).await?;
        let target = self.plain(kind, address, program.pid());
        self.programs.push(program);
        Ok(target)
    }

    async fn gateway(&mut self, kind: Kind, durability: Durability) -> Result<Target> {
        let root = self.directory(durability.name());
        let gateway = Gateway::start(&self.binary, &root, durability, self.upstream).await?;
        let target = Target {
            kind,
            address: gateway.address,
            path: Gateway::path(),
            bearer: gateway.issue_grant().await?,
            pid: gateway.pid(),
        };
        self.gateways.push(gateway);
        Ok(target)
    }

    /// A target that passes the upstream's own credential on.
    fn plain(&self, kind: Kind, address: SocketAddr, pid: u32) -> Target {
        let (path, bearer) = (upstream::PATH.to_owned(), upstream::SECRET.to_owned());
        Target { kind, address, path, bearer, pid }
    }

    fn directory(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }
}

//! A process that this run started: pinned to a processor, ended by its id.
//!
//! `taskset` pins it, because a program sizes its pools by the processors it may use when it starts, and safe Rust has
//! no place between fork and exec to set that. `taskset` becomes the program, so the id stays the same. What must stay
//! true: nothing that was started here outlives the run, however it ends; only a kill of the run itself leaves it behind.

use std::{
    ffi::OsStr,
    net::SocketAddr,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

/// The processor of whatever is measured.
pub const TARGET_CORE: usize = 0;

/// The processor of the load and of the fake upstream.
pub const LOAD_CORE: usize = 1;

/// How long a program may take to say that it is ready; a slow machine under load needs seconds.
const READY: Duration = Duration::from_secs(60);

/// How long a program may take to stop. The gateway drains for 10 s and then syncs.
const STOP: Duration = Duration::from_secs(60);

/// How long a command of the gateway's command line may take.
const COMMAND: Duration = Duration::from_secs(60);

/// A running process. Dropping it kills it.
#[derive(Debug)]
pub struct Program {
    child: Child,
    pid: u32,
    /// Kept, so that a program that prints later does not die of a closed pipe.
    stdout: BufReader<ChildStdout>,
}

impl Program {
    /// Starts a program on `core`, with its standard error in the file `log`.
    pub fn start(program: &Path, arguments: &[&OsStr], core: usize, log: &Path) -> Result<Self> {
        let stderr = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
        let mut command = Command::new("taskset");
        command.arg("-c").arg(core.to_string()).arg(program).args(arguments);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr).kill_on_drop(true);
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {} with taskset (util-linux)", program.display()))?;
        let pid = child.id().context("the program has ended already")?;
        let stdout = child.stdout.take().context("the program has no standard output")?;
        Ok(Self { child, pid, stdout: BufReader::new(stdout) })
    }

    /// Starts this very binary in one of its hidden roles, and waits for the address it prints.
    pub async fn start_role(
        role: &str,
        arguments: &[&str],
        core: usize,
        log: &Path,
    ) -> Result<(Self, SocketAddr)> {
        let own = std::env::current_exe().context("cannot find this binary")?;
        let arguments: Vec<&OsStr> = std::iter::once(&role).chain(arguments).map(OsStr::new).collect();
        let mut program = Self::start(&own, &arguments, core, log)?;
        let line = program.first_line().await.with_context(|| format!("the {role} did not start"))?;
        let address = line.parse().with_context(|| format!("the {role} printed no address: {line}"))?;
        Ok((program, address))
    }

    /// The first line that it prints.
    pub async fn first_line(&mut self) -> Result<String> {
        let mut line = String::new();
        let read =
            timeout(READY, self.stdout.read_line(&mut line)).await.context("it said nothing in time")??;
        if read == 0 {
            bail!("it ended before it was ready");
        }
        Ok(line.trim().to_owned())
    }

    /// The id of the process.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Asks it to stop with SIGTERM and waits until it has.
    pub async fn stop(mut self) -> Result<ExitStatus> {
        let pid =
            rustix::process::Pid::from_raw(self.pid.cast_signed()).context("a process has an id above 0")?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let status = timeout(STOP, self.child.wait()).await.context("the program did not stop in time")??;
        Ok(status)
    }
}

/// Keeps this process and whatever it starts without a core of its own on the load's processor.
pub async fn pin_load() -> Result<()> {
    let (core, pid) = (LOAD_CORE.to_string(), std::process::id().to_string());
    run(Path::new("taskset"), &["-a", "-c", "-p", &core, &pid], &[], None)
        .await
        .context("cannot pin the load: it takes two processors and taskset (util-linux)")?;
    Ok(())
}

/// Lets this process and what it starts open as many descriptors as the system allows.
pub fn allow_descriptors() -> Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
        .context("cannot raise the limit of open files")
}

/// Runs a program to its end, with `input` on its standard input, and answers what it printed. It has to succeed.
pub async fn run(
    program: &Path,
    arguments: &[&str],
    environment: &[(&str, &Path)],
    input: Option<&[u8]>,
) -> Result<String> {
    use tokio::io::AsyncWriteExt;
    let mut command = Command::new(program);
    command.args(arguments).envs(environment.iter().copied()).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
    let mut stdin = child.stdin.take().context("the command has no standard input")?;
    stdin.write_all(input.unwrap_or_default()).await?;
    drop(stdin);
    let output = timeout(COMMAND, child.wait_with_output()).await.context("the command did not end")??;
    if !output.status.success() {
        let (name, said) = (program.display(), String::from_utf8_lossy(&output.stderr));
        bail!("{name} {} failed: {}", arguments.join(" "), said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `count` loopback addresses that were free a moment ago.
pub fn free_addresses(count: usize) -> Result<Vec<SocketAddr>> {
    let held: Vec<_> =
        (0..count).map(|_| std::net::TcpListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
    Ok(held.iter().map(std::net::TcpListener::local_addr).collect::<Result<_, _>>()?)
}

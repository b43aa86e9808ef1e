//! Hardening of the process that holds secrets: no core file, no reading of its memory by a peer.
//!
//! It does not stop root, who can read any process. What must stay true: hardening never stops a start by itself;
//! the caller is told what could not be had and decides.

use std::io;

use rustix::process::{Resource, Rlimit, setrlimit};
use thiserror::Error;

/// One protection the host did not grant.
#[derive(Debug, Error)]
pub enum HardeningFailed {
    /// The limit on core files could not be set to zero, so a crash may write memory to disk.
    #[error("core files could not be turned off, so a crash may write secrets to disk")]
    CoreFiles {
        /// What the host answered.
        #[source]
        source: io::Error,
    },
    /// The process could not be made undumpable, so another process of the same user can attach to it.
    #[error("the process could not be made undumpable, so others of the same user may read its memory")]
    Dumpable {
        /// What the host answered.
        #[source]
        source: io::Error,
    },
}

/// Sets `RLIMIT_CORE` to 0 and `PR_SET_DUMPABLE` to 0, and returns what failed (empty when all is well).
///
/// Call it once, first thing in `main`: it holds for the whole process and its threads. An undumpable process also
/// refuses `ptrace` and hides `/proc/<pid>/environ` and `/proc/<pid>/mem` from other processes of its user.
pub fn harden() -> Vec<HardeningFailed> {
    let mut failed = Vec::new();
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(errno) = setrlimit(Resource::Core, none) {
        failed.push(HardeningFailed::CoreFiles { source: errno.into() });
    }
    if let Err(errno) = forbid_dumping() {
        failed.push(HardeningFailed::Dumpable { source: errno.into() });
    }
    failed
}

#[cfg(target_os = "linux")]
fn forbid_dumping() -> rustix::io::Result<()> {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
}

/// Only Linux has the attribute; elsewhere the caller is told that this protection is missing.
#[cfg(not(target_os = "linux"))]
fn forbid_dumping() -> rustix::io::Result<()> {
    Err(rustix::io::Errno::NOSYS)
}

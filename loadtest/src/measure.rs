//! What a process costs, read from `/proc`: CPU, resident memory, descriptors.
//!
//! CPU is `utime + stime` of `/proc/PID/stat`, which covers all threads, those that ended included, and what the kernel
//! does on their behalf. It comes in ticks of 10 ms, so windows have to be seconds long. Nothing here runs inside the
//! process that is measured.

use std::time::Duration;

use anyhow::{Context, Result};

/// Ticks in a second in `/proc/PID/stat`: `USER_HZ`, which Linux fixes at 100 for its processes whatever it uses inside.
const TICKS_PER_SECOND: u32 = 100;

/// The CPU time a process has used so far, user and kernel, all threads.
pub fn cpu(pid: u32) -> Result<Duration> {
    let text = read(pid, "stat")?;
    let ticks = cpu_ticks(&text).with_context(|| format!("/proc/{pid}/stat has no CPU times"))?;
    Ok(Duration::from_secs(ticks) / TICKS_PER_SECOND)
}

/// The resident memory of a process, in KiB.
pub fn resident_kib(pid: u32) -> Result<u64> {
    let text = read(pid, "status")?;
    resident(&text).with_context(|| format!("/proc/{pid}/status has no VmRSS"))
}

/// How many descriptors a process holds.
pub fn descriptors(pid: u32) -> Result<usize> {
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .with_context(|| format!("cannot count the descriptors of process {pid}"))?;
    Ok(entries.count())
}

fn read(pid: u32, name: &str) -> Result<String> {
    std::fs::read_to_string(format!("/proc/{pid}/{name}")).with_context(|| format!("process {pid} is gone"))
}

/// Fields 14 and 15 of a `stat` line. The name in field 2 may hold spaces and brackets, so fields count from its end.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_is_found_behind_a_name_with_brackets() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 7 7 20 0 9 0 12345 1 2 3";
        assert_eq!(cpu_ticks(stat), Some(300));
        assert_eq!(cpu_ticks("42 (a) S 1"), None);
    }

    #[test]
    fn resident_memory_is_in_kib() {
        assert_eq!(resident("Name:\tx\nVmRSS:\t   4812 kB\nThreads:\t3\n"), Some(4812));
        assert_eq!(resident("Name:\tx\n"), None);
    }

    #[test]
    fn this_process_can_be_measured() {
        let pid = std::process::id();
        assert!(resident_kib(pid).unwrap() > 0);
        assert!(descriptors(pid).unwrap() > 0);
        cpu(pid).unwrap();
    }
}

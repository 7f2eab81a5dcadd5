//! What the operating system says about time, processes and limits.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

/// Returns the time of the clock that all processes of the machine share.
#[must_use]
pub fn monotonic_nanos() -> u64 {
    nanos(ClockId::Monotonic)
}

/// Returns the CPU time that this process has used.
#[must_use]
pub fn own_cpu() -> Duration {
    Duration::from_nanos(nanos(ClockId::ProcessCPUTime))
}

fn nanos(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

/// Raises the number of files that this process and its children may have open, as far as the system allows, towards
/// `wanted`. Returns what it is now.
#[must_use]
pub fn raise_open_files(wanted: u64) -> u64 {
    let hard = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    let attempts = [
        Rlimit { current: Some(wanted), maximum: Some(hard.max(wanted)) },
        Rlimit { current: Some(hard.min(wanted)), maximum: Some(hard) },
    ];
    for limit in attempts {
        if setrlimit(Resource::Nofile, limit).is_ok() {
            break;
        }
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// A look at a process that is running; Linux alone tells.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot {
    /// The CPU time of its threads.
    pub cpu: Duration,
    /// Memory that it has written to and that is in RAM.
    pub anonymous_bytes: u64,
    /// The most memory it ever had in RAM.
    pub peak_bytes: u64,
    /// How many threads it has.
    pub threads: u64,
    /// How often its threads went to sleep.
    pub sleeps: u64,
}

impl Snapshot {
    /// Looks at a process.
    ///
    /// # Errors
    /// When the process is gone, or the system is not Linux.
    pub fn of(process: u32) -> Result<Self> {
        let status = read(&format!("/proc/{process}/status"))?;
        let (mut cpu, mut sleeps) = (0, 0);
        for task in fs::read_dir(format!("/proc/{process}/task")).context("no such process")? {
            let task = task?.path();
            // A thread may end while it is looked at.
            let schedstat = fs::read_to_string(task.join("schedstat")).unwrap_or_default();
            cpu += schedstat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0);
            sleeps += field(&fs::read_to_string(task.join("status")).unwrap_or_default(), "voluntary_ctxt_switches");
        }
        Ok(Self {
            cpu: Duration::from_nanos(cpu),
            anonymous_bytes: field(&status, "RssAnon") * 1024,
            peak_bytes: field(&status, "VmHWM") * 1024,
            threads: field(&status, "Threads"),
            sleeps,
        })
    }
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {path} (only Linux has it)"))
}

fn field(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Returns the cores, the system and the kind of processor of this machine.
#[must_use]
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu =
        cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':')).map(|(_, name)| name.trim());
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("{cores} cores, {os}, {arch}{}", cpu.map_or_else(String::new, |cpu| format!(", {cpu}")))
}

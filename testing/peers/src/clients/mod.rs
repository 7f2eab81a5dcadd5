//! The clients that are measured and are written in Rust: ours, and what ours is compared with.
//!
//! Each is run as a process of its own by `peers-client`, whose CPU time the operating system tells.

mod frames;
mod handshake;
mod obvious;
mod ours;
mod plain;
mod raw;
mod target;
mod written;

use std::io::Write as _;

use anyhow::{Result, bail};

use crate::resources::monotonic_nanos;
pub(crate) use ours::{Push, push_client};
pub use target::Target;

/// Runs one client until the events have ended, or in the mode `sessions` until stdin ends.
///
/// # Errors
/// When the client is not known, or does not get through.
pub fn run(client: &str, mode: Mode, target: &Target) -> Result<()> {
    let seen = match (client, mode) {
        ("stream" | "batch", Mode::Events | Mode::Times) | ("stream-threads", Mode::Times) => {
            ours::events(client, mode, target)?
        }
        ("delegate", Mode::Times) => ours::delegate(mode, target)?,
        ("stream-threads", Mode::Chunks) => return ours::chunks(target),
        ("delegate", Mode::Chunks) => return ours::delegate_chunks(target),
        ("stream", Mode::Sessions) => return ours::sessions(target),
        ("rustls", Mode::Connect) => return handshake::connect(target),
        ("stream", Mode::Connect) => return ours::connect(target),
        ("stream", Mode::Stopped) => return ours::stopped(target),
        ("channels", Mode::Channels) => return ours::channels(target),
        ("presence", Mode::Presence) => return ours::presence(target),
        ("obvious", Mode::Events | Mode::Times) => obvious::events(mode, target)?,
        ("written", Mode::Events | Mode::Times) => written::events(mode, target)?,
        ("frames", Mode::Events | Mode::Times) => frames::events(mode, target)?,
        ("raw", Mode::Events | Mode::Times) => raw::events(mode, target)?,
        ("raw-async", Mode::Events | Mode::Times) => raw::events_async(mode, target)?,
        ("raw-async", Mode::Sessions) => return raw::sessions(target),
        _ => bail!("there is no client {client} with the mode {mode:?}"),
    };
    seen.print()
}

/// What a client is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Count the events of one session and print the count at the end.
    Events,
    /// The same, and print when each event was there.
    Times,
    /// Say at each end how many events there were, until stdin ends.
    Chunks,
    /// Open many sessions and keep them; say when each has seen an end.
    Sessions,
    /// Subscribe to many channels.
    Channels,
    /// Subscribe to many presence channels, and keep their members.
    Presence,
    /// Connect twice and print the CPU time of each.
    Connect,
    /// Connect, and take nothing.
    Stopped,
}

impl Mode {
    /// Reads its name.
    ///
    /// # Errors
    /// When there is no such mode.
    pub fn parse(name: &str) -> Result<Self> {
        Ok(match name {
            "events" => Self::Events,
            "times" => Self::Times,
            "chunks" => Self::Chunks,
            "sessions" => Self::Sessions,
            "channels" => Self::Channels,
            "presence" => Self::Presence,
            "connect" => Self::Connect,
            "stopped" => Self::Stopped,
            _ => bail!("there is no mode {name}"),
        })
    }
}

/// What a client has seen until the end.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    events: u64,
    dropped: u64,
    times: Option<Vec<u64>>,
}

impl Seen {
    fn new(mode: Mode) -> Self {
        Self { times: (mode == Mode::Times).then(|| Vec::with_capacity(1 << 14)), ..Self::default() }
    }

    fn event(&mut self) {
        self.events += 1;
        if let Some(times) = &mut self.times {
            times.push(monotonic_nanos());
        }
    }

    fn print(&self) -> Result<()> {
        let mut text = format!("done {} {}\n", self.events, self.dropped);
        for time in self.times.iter().flatten() {
            text.push_str(&format!("{time}\n"));
        }
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }
}

fn print_line(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// Waits until whoever started this process lets go of it.
fn wait_for_stdin() {
    let mut line = String::new();
    while std::io::stdin().read_line(&mut line).is_ok_and(|length| length > 0) {
        line.clear();
    }
}

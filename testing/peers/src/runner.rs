//! Clients as processes: how each is started, what it says, and the CPU time it took.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use wait4::Wait4 as _;

use crate::blaster::APP_KEY;
use crate::workload::END_EVENT;

/// A client that can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// What figures call it.
    pub id: &'static str,
    /// What tables call it.
    pub label: &'static str,
    /// About what an event costs it, in nanoseconds: the longer, the fewer events.
    pub guess: u32,
    /// How many events it takes until its code has been compiled.
    pub warm_up: usize,
    program: Program,
    /// Whether its consumer is on another thread, so that it may be overrun: it is fed a chunk at a time.
    pub is_fed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    AsyncPusher,
    Listen,
    PusherJava,
    PusherJs,
    Pysher,
    Rust,
}

const fn rust(id: &'static str, label: &'static str, guess: u32) -> Client {
    Client { id, label, guess, warm_up: 0, program: Program::Rust, is_fed: false }
}

/// Ours: the stream, taken one by one in the thread of the client.
pub const STREAM: Client = rust("stream", "**vms-pusher, stream**", 600);
/// Ours: the stream, taken in batches.
pub const BATCH: Client = rust("batch", "vms-pusher, stream in batches", 600);
/// Ours: the stream, on a runtime of two threads.
pub const STREAM_THREADS: Client =
    Client { is_fed: true, ..rust("stream-threads", "vms-pusher, stream, runtime of two threads", 900) };
/// Ours: the delegate.
pub const DELEGATE: Client = Client { is_fed: true, ..rust("delegate", "vms-pusher, delegate", 900) };
/// Ours: many channels.
pub const CHANNELS: Client = rust("channels", "channels-client, many channels", 600);
/// Ours: presence channels.
pub const PRESENCE: Client = rust("presence", "channels-client", 3_000);
/// Ours: the program.
pub const LISTEN: Client = Client {
    id: "listen",
    label: "`vms-pusher listen --json`",
    guess: 3_000,
    warm_up: 0,
    program: Program::Listen,
    is_fed: true,
};
/// The parts of a handshake.
pub const RUSTLS: Client = rust("rustls", "rustls with ring", 0);
/// The obvious Rust.
pub const OBVIOUS: Client = rust("obvious", "the obvious Rust: tungstenite, serde_json twice", 1_300);
/// The hand-written limit.
pub const WRITTEN: Client = rust("written", "the hand-written limit", 450);
/// Frames alone.
pub const FRAMES: Client = rust("frames", "frames alone", 100);
/// The bytes alone.
pub const RAW: Client = rust("raw", "the bytes alone, blocking read", 60);
/// The bytes alone, on tokio.
pub const RAW_ASYNC: Client = rust("raw-async", "the bytes alone, tokio", 60);
/// pusher-js.
pub const PUSHER_JS: Client = Client {
    id: "pusher-js",
    label: "pusher-js (Node.js)",
    guess: 8_000,
    warm_up: 40_000,
    program: Program::PusherJs,
    is_fed: false,
};
/// pusher-java-client.
pub const PUSHER_JAVA: Client = Client {
    id: "pusher-java-client",
    label: "pusher-java-client",
    guess: 20_000,
    warm_up: 60_000,
    program: Program::PusherJava,
    is_fed: false,
};
/// asyncpusher.
pub const ASYNC_PUSHER: Client = Client {
    id: "asyncpusher",
    label: "asyncpusher (Python)",
    guess: 12_000,
    warm_up: 0,
    program: Program::AsyncPusher,
    is_fed: false,
};
/// pysher.
pub const PYSHER: Client = Client {
    id: "pysher",
    label: "pysher (Python)",
    guess: 80_000,
    warm_up: 0,
    program: Program::Pysher,
    is_fed: false,
};

/// Where the programs are.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The folder of the release build.
    pub binaries: PathBuf,
    /// The folder that the peers were installed into.
    pub peers: PathBuf,
}

impl Programs {
    /// Returns whether the client is there.
    #[must_use]
    pub fn has(&self, client: Client) -> bool {
        match client.program {
            Program::Rust => true,
            Program::Listen => self.binaries.join("vms-pusher").exists(),
            Program::PusherJs => self.peers.join("pusher-js/.installed").exists(),
            Program::PusherJava => self.peers.join("java/.installed").exists(),
            Program::AsyncPusher | Program::Pysher => self.peers.join("python/.installed").exists(),
        }
    }

    fn command(&self, client: Client, mode: &str, ports: &[u16], count: usize) -> Command {
        let list = ports.iter().map(u16::to_string).collect::<Vec<_>>().join(",");
        let first = ports.first().copied().unwrap_or_default();
        let with = |program: &Path, arguments: &[&str]| {
            let mut command = Command::new(program);
            command.args(arguments);
            command
        };
        let python = self.peers.join("python/bin/python");
        match client.program {
            Program::Rust => with(&self.binaries.join("peers-client"), &[client.id, mode, &list, &count.to_string()]),
            Program::Listen => self.listen(first),
            Program::PusherJs => {
                let script = self.peers.join("pusher-js/client.mjs");
                let script = script.to_string_lossy();
                with(Path::new("node"), &["--expose-gc", &script, mode, &first.to_string(), &count.to_string()])
            }
            Program::PusherJava => {
                let classes = format!("{0}:{0}/lib/*", self.peers.join("java").display());
                let (port, count) = (first.to_string(), count.to_string());
                with(Path::new("java"), &["-cp", &classes, "PusherJavaClient", mode, &port, &count])
            }
            Program::AsyncPusher => {
                let script = self.peers.join("python/asyncpusher_client.py");
                with(&python, &[&script.to_string_lossy(), mode, &first.to_string()])
            }
            Program::Pysher => {
                let script = self.peers.join("python/pysher_client.py");
                with(&python, &[&script.to_string_lossy(), mode, &first.to_string()])
            }
        }
    }

    fn listen(&self, port: u16) -> Command {
        let mut command = Command::new(self.binaries.join("vms-pusher"));
        command.args(["listen", "--json", "--user-id", "42", "--access-token-id", "bench", "--app-key", APP_KEY]);
        command.args(["--base-url", &format!("http://127.0.0.1:{port}")]);
        command.args(["--socket-url", &format!("ws://127.0.0.1:{port}/pusher")]);
        command.env("VMS_TOKEN", "bench-token");
        command
    }

    /// Starts a client.
    ///
    /// # Errors
    /// When its program is not there.
    pub fn start(&self, client: Client, mode: &str, ports: &[u16], count: usize) -> Result<Running> {
        self.start_with(client, mode, ports, count, &[])
    }

    /// The same with environment variables.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_with(
        &self,
        client: Client,
        mode: &str,
        ports: &[u16],
        count: usize,
        environment: &[(&str, &str)],
    ) -> Result<Running> {
        let mut command = self.command(client, mode, ports, count);
        command.envs(environment.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        if client.program != Program::Rust {
            // What it says matters when it fails, and is too much otherwise.
            command.stderr(File::create(self.binaries.join(format!("{}.stderr", client.id)))?);
        }
        let mut child = command.spawn().with_context(|| format!("cannot start {}", client.id))?;
        let output = child.stdout.take().context("stdout is piped")?;
        let (sender, lines) = sync_channel(1 << 16);
        std::thread::spawn(move || forward(output, &sender));
        let input = child.stdin.take();
        let ends_by_itself = client.program != Program::Listen;
        Ok(Running { client, child: Some(child), input, lines, ends_by_itself })
    }
}

/// Passes on the lines that are meant for the benchmark. Of the events of `listen` it says how many there were.
fn forward(output: impl std::io::Read, lines: &SyncSender<String>) {
    let (mut events, mut reader, mut line) = (0_u64, BufReader::with_capacity(1 << 16, output), Vec::new());
    while reader.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        if line.starts_with(b"{") {
            let text = String::from_utf8_lossy(&line);
            if text.contains(END_EVENT) {
                let _ = lines.send(format!("done {events} 0"));
                events = 0;
            } else if text.contains("_socket\"") {
                events += 1;
            }
        } else {
            let _ = lines.send(String::from_utf8_lossy(&line).trim_end().to_owned());
        }
        line.clear();
    }
}

/// A client that is running; ended when dropped.
pub struct Running {
    client: Client,
    child: Option<Child>,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    ends_by_itself: bool,
}

impl Running {
    /// Returns the id of the process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// Waits for the next line.
    ///
    /// # Errors
    /// When none comes within two minutes.
    pub fn line(&self) -> Result<String> {
        let line = self.lines.recv_timeout(PATIENCE);
        line.with_context(|| format!("{} says nothing more", self.client.id))
    }

    /// Waits for the line that begins with `word`, and returns the numbers in it.
    ///
    /// # Errors
    /// When it does not come within two minutes, or says something else.
    pub fn numbers(&self, word: &str) -> Result<Vec<u64>> {
        let line = self.line()?;
        let Some(rest) = line.strip_prefix(word) else { bail!("{} says: {line}", self.client.id) };
        rest.split_whitespace().map(|number| number.parse().context("not a number")).collect()
    }

    /// Sends it a line.
    ///
    /// # Errors
    /// When it is gone.
    pub fn tell(&mut self, line: &str) -> Result<()> {
        let input = self.input.as_mut().context("it has been let go")?;
        writeln!(input, "{line}")?;
        Ok(input.flush()?)
    }

    /// Lets it end, and returns the CPU time that it took in all.
    ///
    /// # Errors
    /// When it has failed.
    pub fn end(mut self) -> Result<Duration> {
        self.input = None;
        let mut child = self.child.take().context("it is running")?;
        if !self.ends_by_itself {
            child.kill()?;
        }
        let ended = child.wait4()?;
        if self.ends_by_itself && !ended.status.success() {
            bail!("{} failed: {}", self.client.id, ended.status);
        }
        Ok(ended.rusage.utime + ended.rusage.stime)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(120);

impl Client {
    /// Returns whether it is written by others in another language.
    #[must_use]
    pub fn is_peer(&self) -> bool {
        !matches!(self.program, Program::Rust | Program::Listen)
    }

    /// Returns whether it sees bytes and no events.
    #[must_use]
    pub fn counts_bytes(&self) -> bool {
        matches!(self.id, "raw" | "raw-async")
    }
}

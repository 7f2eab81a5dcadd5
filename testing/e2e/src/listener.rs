//! The client under test in a process of its own; see `bin/listener.rs`.

use std::path::Path;
use std::process::{Command as StdCommand, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use vms_pusher::{Secret, VmsPusherConfig, VmsPusherOptions, VmsSocketItem};

/// What a listener needs to know of its session.
#[derive(Debug)]
pub struct ListenerSession(Value);

impl ListenerSession {
    /// Takes what matters out of a configuration.
    #[must_use]
    pub fn new(config: &VmsPusherConfig) -> Self {
        Self(json!({
            "base_url": config.base_url,
            "socket_url": config.socket_url,
            "app_key": config.app_key,
            "user_token": config.user_token.expose(),
            "user_id": config.user_id,
            "access_token_id": config.access_token_id,
        }))
    }

    /// Reads what [`ListenerProcess::start`] writes.
    ///
    /// # Panics
    /// When the text is not a session.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(serde_json::from_str(text).expect("a session"))
    }

    /// The configuration of an impatient client in this session: it asks after 3 s of silence, and waits for 3 s.
    ///
    /// # Panics
    /// When something is missing.
    #[must_use]
    pub fn config(&self) -> VmsPusherConfig {
        let text = |field: &str| self.0[field].as_str().expect("a text").to_owned();
        VmsPusherConfig {
            base_url: text("base_url"),
            socket_url: text("socket_url"),
            app_key: text("app_key"),
            user_token: Secret::new(text("user_token")),
            user_id: self.0["user_id"].as_i64().expect("an id"),
            access_token_id: text("access_token_id"),
            options: VmsPusherOptions {
                activity_timeout: Duration::from_secs(3),
                pong_timeout: Duration::from_secs(3),
                ..VmsPusherOptions::default()
            },
        }
    }
}

/// A running client; dropping it kills the process.
#[derive(Debug)]
pub struct ListenerProcess {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    _stdin: ChildStdin,
}

impl ListenerProcess {
    /// Starts `program`, the binary `listener` of this package.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(program: &Path, session: &ListenerSession) -> Self {
        let mut process = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the listener starts");
        let mut stdin = process.stdin.take().expect("a pipe");
        stdin.write_all(format!("{}\n", session.0).as_bytes()).await.expect("the session is taken");
        let lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        Self { process, lines, _stdin: stdin }
    }

    /// The next thing that the client was told.
    ///
    /// # Cancel safety
    /// Nothing is lost when this is dropped.
    ///
    /// # Panics
    /// When the process has ended.
    pub async fn next(&mut self) -> VmsSocketItem {
        let line = self.lines.next_line().await.expect("a line").expect("the listener goes on");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line}"))
    }

    /// Has the process stand still, as a phone in its sleep or a shell after Ctrl-Z does.
    #[cfg(unix)]
    pub fn suspend(&self) {
        self.signal("-STOP");
    }

    /// Has the process go on.
    #[cfg(unix)]
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    #[cfg(unix)]
    fn signal(&self, signal: &str) {
        let process = self.process.id().expect("the process runs").to_string();
        let sent = StdCommand::new("kill").args([signal, &process]).status().expect("kill is installed");
        assert!(sent.success(), "kill {signal} {process}: {sent}");
    }
}

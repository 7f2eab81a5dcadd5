//! A client that we did not write: pusher-js on Node.js.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// How long the client may take for its next step.
const STEP_LIMIT: Duration = Duration::from_secs(60);

/// A running `receive.mjs`; dropping it kills the process.
#[derive(Debug)]
pub struct PusherJs {
    _process: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl PusherJs {
    /// Starts the client; `options` are those of `receive.mjs`.
    #[must_use]
    pub fn start(options: &Value) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pusher-js");
        assert!(folder.join("node_modules/pusher-js").exists(), "pusher-js is missing: run `cargo xtask setup`");
        let mut process = Command::new("node")
            .arg("receive.mjs")
            .arg(options.to_string())
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node is installed");
        let stdin = process.stdin.take().expect("stdin is piped");
        let stdout = process.stdout.take().expect("stdout is piped");
        Self { _process: process, stdin, lines: BufReader::new(stdout).lines() }
    }

    /// Has the client carry out a command of `receive.mjs`.
    pub async fn command(&mut self, command: &Value) {
        self.stdin.write_all(format!("{command}\n").as_bytes()).await.expect("the client reads");
    }

    /// The next record of this kind; others are passed over.
    pub async fn next(&mut self, kind: &str) -> Value {
        let mut passed = Vec::new();
        let found = tokio::time::timeout(STEP_LIMIT, async {
            loop {
                let line = self.lines.next_line().await.expect("readable output").expect("the client still runs");
                let record: Value = serde_json::from_str(&line).expect("one JSON object a line");
                if record["kind"] == kind {
                    return record;
                }
                passed.push(record);
            }
        });
        match found.await {
            Ok(record) => record,
            Err(_) => panic!("pusher-js gave no {kind:?} in time, only {passed:?}"),
        }
    }
}

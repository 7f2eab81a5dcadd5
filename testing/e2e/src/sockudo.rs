//! A Sockudo server of the test's own, on a free loopback port.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use crate::clock;
use crate::publisher::{App, Publisher};

/// How long a server may take to listen.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A running Sockudo 5.2.0; dropping it kills the process.
#[derive(Debug)]
pub struct SockudoServer {
    address: SocketAddr,
    app: App,
    folder: TempDir,
    process: Option<Child>,
}

impl SockudoServer {
    /// Starts a server that knows one app, and waits until it accepts connections.
    pub async fn start(app: App) -> Self {
        let address = free_address();
        let folder = TempDir::new().expect("a temporary folder");
        let mut server = Self { address, app, folder, process: None };
        server.restart().await;
        server
    }

    /// Where the server listens, for WebSocket and HTTP alike.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL for `VmsPusherConfig::socket_url`.
    #[must_use]
    pub fn socket_url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// A publisher over the server's HTTP interface.
    #[must_use]
    pub fn publisher(&self) -> Publisher {
        Publisher::new(self.address, self.app.clone())
    }

    /// Ends the process as `kill -9` does: no close frame, no goodbye.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("the process can be killed");
            process.wait().expect("the process ends");
        }
    }

    /// Has the process stand still: it neither reads nor writes, and the system still accepts connections for it.
    #[cfg(unix)]
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Has the process go on.
    #[cfg(unix)]
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    #[cfg(unix)]
    fn signal(&self, signal: &str) {
        let process = self.process.as_ref().expect("the process runs").id().to_string();
        let sent = Command::new("kill").args([signal, &process]).status().expect("kill is installed");
        assert!(sent.success(), "kill {signal} {process}: {sent}");
    }

    /// Starts the server again on the same port and waits until it accepts connections.
    pub async fn restart(&mut self) {
        self.kill();
        let deadline = clock::monotonic() + START_LIMIT;
        self.process = Some(self.spawn());
        while !self.accepts() {
            assert!(clock::monotonic() < deadline, "Sockudo does not listen on {}:\n{}", self.address, self.log());
            // The port may still be held, by a connection that used it as its own side: then the server ends at once.
            let ended = self.process.as_mut().is_none_or(|process| process.try_wait().expect("a status").is_some());
            if ended {
                self.process = Some(self.spawn());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn spawn(&self) -> Child {
        let program = program();
        let config = self.folder.path().join("sockudo.json");
        std::fs::write(&config, self.config().to_string()).expect("the configuration can be written");
        let log = File::create(self.log_path()).expect("the log can be written");
        Command::new(&program)
            .arg("--config")
            .arg(&config)
            .current_dir(self.folder.path())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start ({error}): run `cargo xtask setup`", program.display()))
    }

    /// Everything in memory, no metrics port, no rate limits; client events, sign-in and watchlists on.
    fn config(&self) -> serde_json::Value {
        json!({
            "host": self.address.ip(),
            "port": self.address.port(),
            "adapter": {"driver": "local"},
            "cache": {"driver": "memory"},
            "queue": {"driver": "memory"},
            "metrics": {"enabled": false},
            "rate_limiter": {"enabled": false, "driver": "memory"},
            "app_manager": {"driver": "memory", "array": {"apps": [{
                "id": self.app.id,
                "key": self.app.key,
                "secret": self.app.secret,
                "enabled": true,
                "max_connections": 1000,
                "max_client_events_per_second": 0,
                "enable_client_messages": true,
                "enable_user_authentication": true,
                "enable_watchlist_events": true,
            }]}},
        })
    }

    fn accepts(&self) -> bool {
        TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).is_ok()
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("sockudo.log")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }
}

impl Drop for SockudoServer {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/sockudo-5.2.0/bin/sockudo")
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port");
    listener.local_addr().expect("an address")
}

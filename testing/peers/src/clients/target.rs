use std::path::PathBuf;

use anyhow::{Context as _, Result};

/// Where the server is.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its ports on the loopback address; sessions are spread over them.
    pub ports: Vec<u16>,
    /// How many sessions or channels are wanted, for the modes that have many.
    pub count: usize,
    /// With TLS, trusting the authority in this file (PEM).
    pub authority: Option<PathBuf>,
}

impl Target {
    /// Reads the arguments `PORT[,PORT...] [COUNT]`, and the environment variable `BENCH_CA`.
    ///
    /// # Errors
    /// When they are not numbers.
    pub fn parse(ports: &str, count: Option<&str>) -> Result<Self> {
        let ports = ports.split(',').map(str::parse).collect::<Result<_, _>>().context("a port is a number")?;
        let count = count.unwrap_or("1").parse().context("the count is a number")?;
        Ok(Self { ports, count, authority: std::env::var_os("BENCH_CA").map(PathBuf::from) })
    }

    pub(crate) fn port(&self, session: usize) -> u16 {
        self.ports.get(session % self.ports.len().max(1)).copied().unwrap_or_default()
    }

    pub(crate) fn base_url(&self, session: usize) -> String {
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}", self.port(session))
    }

    pub(crate) fn socket_url(&self, session: usize) -> String {
        let scheme = if self.authority.is_some() { "wss" } else { "ws" };
        format!("{scheme}://127.0.0.1:{}/pusher", self.port(session))
    }
}

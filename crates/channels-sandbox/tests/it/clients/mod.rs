//! A WebSocket client that is not ours, one that is made of bytes, and a small HTTP client.
#![allow(dead_code, unused_imports, reason = "the tests of two crates have these clients, each uses what it needs")]

mod http;
mod raw;
mod ws;

use std::{net::SocketAddr, time::Duration};

use tokio::time::timeout;

pub use self::{
    http::{Answer, http, try_http, try_http_without_host},
    raw::{Raw, upgrade_request},
    ws::Ws,
};

/// Long enough for the slowest machine; reached only by a test that fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A server to connect to, whatever it is part of.
pub trait Served {
    fn address(&self) -> SocketAddr;
    fn key(&self) -> &str;
    fn sign(&self, socket_id: &str, channel: &str) -> String;
}

pub async fn soon<F: Future>(future: F) -> F::Output {
    timeout(PATIENCE, future).await.expect("it takes too long")
}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// With a close frame.
    Closed(u16, String),
    /// Without one.
    Dropped,
}

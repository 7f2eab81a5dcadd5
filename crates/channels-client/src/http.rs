//! One small HTTP/1.1 client, for requests to one configured server.
//!
//! It follows no redirect, keeps no cookies, asks for no compression, connects as its [`Connector`](crate::Connector) does, and bounds
//! the size and the time of every response. It spawns nothing: a connection makes progress while a request or
//! [`HttpClient::prepare`] is polled.

mod client;
mod connection;
mod error;
mod pool;
mod url;

pub use self::{
    client::{HttpClient, HttpLimits},
    error::HttpError,
    url::{HttpOrigin, HttpUrl},
};
pub use crate::{
    dial::{CertificateProblem, ConnectError, ProxyProblem},
    retry_after::retry_after,
};

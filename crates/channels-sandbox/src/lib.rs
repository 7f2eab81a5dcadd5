//! A Pusher Channels server for tests: sockets, channels, the behaviour of several real servers, and fault injection.
//!
//! ```no_run
//! use channels_sandbox::{RawData, RawPush, Server, ServerConfig, Sockets};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::start(ServerConfig::default()).await?;
//! // A client connects to `server.socket_url()` with `server.app().key`, and subscribes to `news` …
//! let data = RawData::Text(r#"{"id":17}"#.to_owned());
//! server.publish(RawPush { channel: "news".to_owned(), event: "added".to_owned(), data, except: None }).await;
//! server.cut(&Sockets::Channel("news".to_owned()));
//! server.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! It is independent of the application, which passes its own routes, such as the one that authorizes channels, as an
//! [`axum::Router`] to [`Server::serve`], signs with [`Server::app`], publishes through [`Server::publish_as`], and makes
//! decisions for the server's sockets in a [`Hooks`]. The sockets are at `/app/{key}` and `/pusher/app/{key}`.
//!
//! # The HTTP API
//!
//! Any Pusher server library can publish to the server, given [`App`] and the address: `POST /apps/{id}/events` and
//! `/batch_events`, `GET /apps/{id}/channels`, `/channels/{name}` and `/channels/{name}/users`. Requests must be signed, and
//! are answered, with the limits of the server that the profile imitates. push1st has only `events`, without a signature.
//! [`ServerConfig::http_api`] switches the API off.
//!
//! # What is not supported
//!
//! Presence channels, client events, sign-in, and encrypted channels. How each profile refuses the first three:
//!
//! | profile | a presence channel | a client event | a sign-in |
//! |---|---|---|---|
//! | `pusher7` | `pusher:subscription_error` 403 | `pusher:error` 4301 | `pusher:error` 4009 |
//! | `push1st` | accepts it without members, or crashes | ignores it, or crashes | close 1002 |
//! | `reverb` | `pusher:error` 4009 | `pusher:error` 4301 | `pusher:error` 4200 |
//! | `sockudo` | `pusher:error` 4300, or drops the connection | `pusher:error` 4301 | `pusher:error` 4009 |
//! | `soketi` | `pusher:subscription_error` 403 | `pusher:error` 4301 | ignores it |
//!
//! # Modules
//!
//! From the ground up: `php` escapes JSON as PHP does, `websocket` reads and writes frames, `dialect` describes each server's behaviour as pure functions, `hub`
//! keeps the open sockets and their channels, `net` accepts and serves connections, `shared` is what the sockets of a
//! server have in common, `socket` runs one of them, `upgrade` starts it, `http_api` publishes for server libraries, and `server` is the public handle of a running
//! server.

pub mod answer;
pub mod php;

mod activity;
mod app;
mod changes;
mod config;
mod dialect;
mod ending;
mod error;
mod fault;
mod hooks;
mod http_api;
mod hub;
mod journal;
mod listening;
mod net;
mod profile;
mod push;
mod server;
mod shared;
mod socket;
mod sockets;
mod state;
mod timing;
mod upgrade;
mod wall_clock;
mod websocket;

pub use activity::Activity;
pub use app::{App, is_socket_id};
pub use changes::Changes;
pub use config::{RateLimit, ServerConfig};
pub use ending::Ending;
pub use error::{ServerError, WaitError};
pub use fault::{Fault, FaultBook, SocketFault, SubscribeAnswer, UpgradeAnswer, matches_pattern};
pub use hooks::Hooks;
pub use listening::Listening;
pub use net::{http_connection::HttpConnection, tasks::Tasks, tls::Tls};
pub use profile::{Profile, UnknownProfile};
pub use push::{Delivered, RawData, RawPush};
pub use server::Server;
pub use sockets::{ReceivedFrame, SocketInfo, Sockets};
pub use state::ServerState;
pub use timing::Timing;
pub use wall_clock::WallClock;
pub use websocket::outbound::{Outbound, RawFrame};

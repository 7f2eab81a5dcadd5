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
//! `/batch_events`, `GET /apps/{id}/channels`, `/channels/{name}` and `/channels/{name}/users`, and
//! `POST /apps/{id}/users/{user_id}/terminate_connections`. Requests must be signed; limits, answers and errors are those of the
//! server that the profile imitates. push1st has only `events`, without a signature. [`ServerConfig::http_api`] switches the
//! API off.
//!
//! # Kinds of channels, client events and users
//!
//! Presence channels, `private-encrypted-` and cache channels, client events and sign-in work as each profile's server does
//! them; [`Features`] switches client events, sign-in and subscription counts on and off.
//!
//! | profile | a presence channel | a client event | a sign-in |
//! |---|---|---|---|
//! | `pusher7` | members | relayed with `user_id`, its data as a string; otherwise `pusher:error` 4301 | success, or `pusher:error` 4009 |
//! | `push1st` | accepts it without members, or crashes | ignores it, or crashes | close 1002 |
//! | `reverb` | members; none if one of them has no id | relayed with `user_id`, its data decoded, on channels of every kind; otherwise `pusher:error` 4009, 4200 or 4301 | `pusher:error` 4200 |
//! | `sockudo` | members; drops the connection without `channel_data` | relayed as it is; otherwise `pusher:error` 4000 or 4301 | success, or `pusher:error` 4009 |
//! | `soketi` | members | relayed with `user_id` on channels of every kind; otherwise `pusher:error` 4301, or ignored | success, or `pusher:error` and close 4009 |
//!
//! # What is not supported
//!
//! A limit on the members of a presence channel, and the time in which Soketi expects a sign-in.
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
mod auth_endpoint;
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
mod member;
mod net;
mod profile;
mod push;
mod secretbox;
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
pub use auth_endpoint::{AuthAnswer, AuthEndpoint, AuthFault, AuthRequest};
pub use changes::Changes;
pub use config::{Features, RateLimit, ServerConfig};
pub use ending::Ending;
pub use error::{ServerError, WaitError};
pub use fault::{Fault, FaultBook, SignInAnswer, SocketFault, SubscribeAnswer, UpgradeAnswer, matches_pattern};
pub use hooks::Hooks;
pub use listening::Listening;
pub use member::Member;
pub use net::{http_connection::HttpConnection, tasks::Tasks, tls::Tls};
pub use profile::{Profile, UnknownProfile};
pub use push::{Delivered, RawData, RawPush};
pub use server::Server;
pub use sockets::{ReceivedFrame, SocketInfo, Sockets};
pub use state::ServerState;
pub use timing::Timing;
pub use wall_clock::WallClock;
pub use websocket::outbound::{Outbound, RawFrame};

//! A video-management system on the desk: REST, channel authorization and a Pusher server with
//! faults, in one process, on one port.
//!
//! ```no_run
//! use vms_sandbox::{Push, Sandbox, SandboxConfig, Sockets, Target};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::start(SandboxConfig::default()).await?;
//! let session = sandbox.sessions().remove(0);
//! // A client logs in at `sandbox.base_url()` with `session.access_token` …
//! sandbox.push(Push::new("cameras_updated").to(Target::User(session.user_id))).await?;
//! sandbox.cut(&Sockets::All);
//! sandbox.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! # What is served
//!
//! | path | what |
//! |---|---|
//! | `POST /api/v1/token` | login; 422 for a wrong password |
//! | `GET /api/v1/wsurl` | socket URL and app key |
//! | `POST /api/v1/broadcasting/auth` | signs `private-token.{access_token_id}` and `private-user.{user_id}` of the bearer; 401 without one, 419 for an expired one, 403 for other channels |
//! | `POST /api/v1/cameras/{id}/sync-groups` | cameras 1 to 9,999; pushes `groups_updated` to the user's other sockets, and `camera_groups_synced` to the session when it is done |
//! | `/pusher/app/{key}`, `/app/{key}` | the Pusher server |
//! | `/sandbox/…` | the control API, see [`control`] |
//!
//! Every call understands `X-Socket-ID`: what it broadcasts leaves that socket out.
//!
//! # What is not there
//!
//! Presence channels, client events, sign-in and encrypted channels. `pusher7` refuses a presence
//! channel with `pusher:subscription_error` 403, client events with `pusher:error` 4301 and sign-in
//! with `pusher:error` 4009; `reverb` with 4009, 4301 and 4200; `push1st` does what push1st does,
//! which for some of them is to come down. VMS clients use none of these.
//!
//! # Modules
//!
//! `rest` answers the API, `pusher` is the Pusher server (`frame` and `assembly` read frames,
//! `dialect` holds each server's habits as pure functions, `socket` runs one connection, `hub` knows
//! them all), `push` makes events, `control` is the control API, `scenario` a day of events, `net`
//! listens.

mod accounts;
mod activity;
mod commands;
mod config;
pub mod control;
mod error;
mod fault;
mod journal;
mod net;
mod profile;
mod push;
mod pusher;
mod rest;
mod sandbox;
pub mod scenario;
mod world;

pub use accounts::Session;
pub use activity::Activity;
pub use config::{GroupSync, RateLimit, SandboxConfig, Timing, UserConfig};
pub use control::model::{
    Affected, CloseRequest, ControlFailure, CutRequest, Ending, LatencyRequest, ListeningRequest, LogoutRequest,
    Outbound, RawFrame, ReceivedFrame, RequestRecord, SandboxState, SendRequest, SessionInfo, SocketInfo, Sockets,
    SocketsRequest, Standing, TypeInfo,
};
pub use error::{SandboxError, WaitError};
pub use fault::{Endpoint, Fault, FaultKind, Listening, RestAnswer, SubscribeAnswer, UpgradeAnswer};
pub use net::tls::Tls;
pub use profile::{Profile, UnknownProfile};
pub use push::{
    Broadcast, Delivered, Encoding, Push, PushError, PushEvent, PushStatus, RawData, RawPush, Target,
    catalogue::{EVENT_TYPES, EventType},
};
pub use sandbox::Sandbox;
pub use scenario::{Scenario, ScenarioError};

//! A simulated video-management system for tests: REST, channel authorization and a Pusher server with
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
//! | `/login` | a page; an API call that would be answered with 401 is redirected here if its `Accept` does not begin with JSON |
//! | `/pusher/app/{key}`, `/app/{key}` | the Pusher server |
//! | `/sandbox/…` | the control API, see [`control`] |
//!
//! Every call supports `X-Socket-ID`: its broadcasts leave that socket out.
//!
//! `docs/sandbox.md` in the repository shows the control API by example.
//!
//! # What is not supported
//!
//! Presence channels, client events, sign-in and encrypted channels: VMS clients use none of these. The documentation of
//! `channels-sandbox` says how the profiles refuse them.
//!
//! # Modules
//!
//! The Pusher server is the crate `channels-sandbox`, whose types are re-exported here. On top of it, from the ground up:
//! `accounts`, `push` (which makes events), `fault` and `requests` are the parts of a VMS, `vms` combines them, `rest`
//! answers the API, `control` is the control API, `routes` serves both, `sandbox` is the public handle of the whole, and
//! `scenario` plays a day of events.

mod accounts;
mod answer;
mod caller;
mod config;
pub mod control;
mod early;
mod error;
mod fault;
mod push;
mod requests;
mod rest;
mod routes;
mod sandbox;
pub mod scenario;
mod sockets;
mod state;
mod vms;

pub use accounts::{Session, SessionInfo, TokenStatus};
pub use channels_sandbox::{
    Activity, Delivered, Ending, Listening, Outbound, Profile, RateLimit, RawData, RawFrame, RawPush, ReceivedFrame,
    SocketInfo, SubscribeAnswer, Timing, Tls, UnknownProfile, UpgradeAnswer,
};
pub use config::{GroupSync, SandboxConfig, UserConfig};
pub use control::model::{
    Affected, CloseRequest, ControlFailure, CutRequest, LatencyRequest, ListeningRequest, LogoutRequest, SendRequest,
    SocketsRequest, TokenStatusRequest, TypeInfo,
};
pub use error::{SandboxError, WaitError};
pub use fault::{Endpoint, Fault, FaultKind, RestAnswer};
pub use push::{
    Broadcast, Encoding, Push, PushError, PushEvent, PushStatus, Target,
    catalogue::{EVENT_TYPES, EventType},
};
pub use requests::RequestRecord;
pub use sandbox::Sandbox;
pub use scenario::{Scenario, ScenarioError};
pub use sockets::Sockets;
pub use state::SandboxState;

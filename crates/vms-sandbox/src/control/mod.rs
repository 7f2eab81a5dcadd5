//! The control API: what a running sandbox can be told over HTTP.
//!
//! Everything is JSON, under `/sandbox` on the sandbox's own port. An empty body is an empty object.
//! A request that cannot be carried out is answered with [`ControlFailure`](crate::ControlFailure):
//! 400 when it cannot be read, 422 when it names what does not exist, 403 when it comes from a web page.
//! `X-Socket-ID` is understood.
//!
//! A web page is known by an `Origin`, or by a `Host` that is not the sandbox: neither a loopback address, `localhost`, the
//! address it is bound to (any address when that is unspecified) nor [`SandboxConfig::host`](crate::SandboxConfig::host),
//! or not with its port. A page that makes a name of its own lead here is refused by that, reading or writing.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `POST /sandbox/push` | [`Push`](crate::Push) | [`Delivered`](crate::Delivered) |
//! | `POST /sandbox/raw` | [`RawPush`](crate::RawPush) | [`Delivered`](crate::Delivered) |
//! | `POST /sandbox/send` | [`SendRequest`](crate::SendRequest) | [`Affected`](crate::Affected) |
//! | `POST /sandbox/cut` | [`CutRequest`](crate::CutRequest) | [`Affected`](crate::Affected) |
//! | `POST /sandbox/stall`, `POST /sandbox/resume` | [`SocketsRequest`](crate::SocketsRequest) | [`Affected`](crate::Affected) |
//! | `POST /sandbox/close` | [`CloseRequest`](crate::CloseRequest) | [`Affected`](crate::Affected) |
//! | `POST /sandbox/logout` | [`LogoutRequest`](crate::LogoutRequest) | [`Affected`](crate::Affected), counting sessions |
//! | `POST /sandbox/standing` | [`StandingRequest`](crate::StandingRequest) | [`Affected`](crate::Affected), counting sessions |
//! | `POST /sandbox/latency` | [`LatencyRequest`](crate::LatencyRequest) | `{}` |
//! | `POST /sandbox/listening` | [`ListeningRequest`](crate::ListeningRequest) | `{}` |
//! | `POST /sandbox/fault` | [`Fault`](crate::Fault) | `{}` |
//! | `DELETE /sandbox/faults` | | `{}` |
//! | `GET /sandbox/state` | | [`SandboxState`](crate::SandboxState) |
//! | `GET /sandbox/types` | | array of [`TypeInfo`](crate::TypeInfo) |
//!
//! ```text
//! curl -d '{"type":"cameras_updated","to":{"user":42}}' http://127.0.0.1:41234/sandbox/push
//! curl -d '{"type":"archive_generated","status":"error"}' http://127.0.0.1:41234/sandbox/push
//! curl -X POST http://127.0.0.1:41234/sandbox/cut
//! ```

mod failure;
mod guard;
pub(crate) mod model;
pub(crate) mod routes;

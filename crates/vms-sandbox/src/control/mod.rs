//! The control API: control of a running sandbox over HTTP.
//!
//! Everything is JSON, under `/sandbox` on the sandbox's own port. An empty body counts as an empty object.
//! A request that cannot be carried out is answered with [`ControlFailure`](crate::ControlFailure):
//! 400 if it cannot be read, 422 if it names something that does not exist, 403 if it comes from a web page.
//! `X-Socket-ID` is supported.
//!
//! A web page is recognised by an `Origin`, or by a `Host` that is not the sandbox: neither a loopback address, `localhost`,
//! the address it is bound to (any address if that is unspecified) nor [`SandboxConfig::host`](crate::SandboxConfig::host),
//! or with another port. This also refuses a page whose own domain name resolves to the sandbox, reading or writing.
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
//! | `POST /sandbox/token_status` | [`TokenStatusRequest`](crate::TokenStatusRequest) | [`Affected`](crate::Affected), counting sessions |
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

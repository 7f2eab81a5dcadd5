//! An endpoint that authorizes channels and authenticates users, as an application has one.

mod endpoint;
mod fault;
mod request;
mod right;

pub use endpoint::AuthEndpoint;
pub use fault::{AuthAnswer, AuthFault};
pub use request::AuthRequest;

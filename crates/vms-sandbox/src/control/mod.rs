//! The control API: what a running sandbox can be told over HTTP.

pub(crate) mod model;
pub(crate) mod routes;

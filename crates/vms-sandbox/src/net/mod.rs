//! Listening, accepting, and the bytes of a connection.

pub(crate) mod connection;
pub(crate) mod listener;
pub(crate) mod tasks;
pub(crate) mod tls;
pub(crate) mod wire;

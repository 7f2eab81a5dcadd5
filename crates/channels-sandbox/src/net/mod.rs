//! Listening, accepting, and the bytes of a connection.

pub(crate) mod address;
pub(crate) mod connection;
pub(crate) mod gate;
pub(crate) mod http_connection;
pub(crate) mod listener;
pub(crate) mod stop;
pub(crate) mod tasks;
pub(crate) mod tls;
pub(crate) mod wire;

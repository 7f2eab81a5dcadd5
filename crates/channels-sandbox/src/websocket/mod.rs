//! WebSocket frames, and how each server reads them.

pub(crate) mod assembly;
pub(crate) mod frame;
pub(crate) mod outbound;

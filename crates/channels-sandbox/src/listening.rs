//! How new connections are treated.

use serde::{Deserialize, Serialize};

/// What the listening socket does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listening {
    /// Accepts and serves.
    #[default]
    Serve,
    /// New connections are refused by the system; live ones go on.
    Refuse,
    /// New connections are accepted and never read; live ones go on.
    Silent,
}

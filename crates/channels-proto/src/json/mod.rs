//! A strict JSON reader that never builds a tree: it walks a text once and returns the requested parts. What it
//! rejects can be read loosely.

mod block;
mod loose;
mod scan;
#[cfg(test)]
mod tests;
mod unescape;

use thiserror::Error;

pub(crate) use loose::{LooseMember, LooseMembers};
pub(crate) use scan::{Elements, Members, Value};
pub(crate) use unescape::unescape;

/// Why a text is not acceptable JSON.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JsonError {
    /// The text violates the grammar.
    #[error("not valid JSON at byte {offset}")]
    Syntax {
        /// Where.
        offset: usize,
    },
    /// The text nests deeper than the limit.
    #[error("nested deeper than {limit} levels at byte {offset}")]
    TooDeep {
        /// The limit.
        limit: u32,
        /// Where.
        offset: usize,
    },
    /// A string contains an unpaired surrogate, so it is not valid text.
    #[error("unpaired surrogate in a string")]
    LoneSurrogate,
    /// It is part of a message that is not valid JSON, and it may be incomplete.
    #[error("part of a message that is not valid JSON")]
    Part,
}

//! A strict JSON reader that never builds a tree: it walks a text once and hands out the parts asked for. What it refuses
//! can be looked at loosely.

mod block;
mod loose;
mod scan;
#[cfg(test)]
mod tests;
mod unescape;

use thiserror::Error;

pub(crate) use loose::{LooseMember, LooseMembers};
pub(crate) use scan::{Members, Value};
pub(crate) use unescape::unescape;

/// Why a text is not JSON that can be taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JsonError {
    /// The text breaks the grammar.
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
    /// A string holds half of a surrogate pair, so that it is not text.
    #[error("half of a surrogate pair in a string")]
    LoneSurrogate,
    /// It is a part of a message that is not valid JSON, and nobody can say whether it is whole.
    #[error("a part of a message that is not valid JSON")]
    Part,
}

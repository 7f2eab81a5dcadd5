//! How the program ends.

use std::{fmt, io, process::ExitCode};

/// What the program ends with. The codes are documented in `--help` and the manual pages; they do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Other = 1,
    Usage = 2,
    Unreachable = 3,
    Unauthorized = 4,
    Refused = 5,
    Control = 6,
    Interrupted = 130,
}

impl Exit {
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why the program ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The output cannot be written; when whoever read it went away, that is no failure.
    Output(io::Error),
    /// Something to tell.
    Told {
        exit: Exit,
        /// What failed, and against which address. It holds no secret.
        message: String,
        /// What to try.
        tip: Option<String>,
    },
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl fmt::Display) -> Self {
        Self::Told { exit, message: message.to_string(), tip: None }
    }

    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Adds what to try.
    #[must_use]
    pub(crate) fn tip(self, tip: impl fmt::Display) -> Self {
        match self {
            Self::Told { exit, message, .. } => Self::Told { exit, message, tip: Some(tip.to_string()) },
            Self::Output(_) => self,
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::Output(_) => Exit::Other,
            Self::Told { exit, .. } => *exit,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Output(error) => write!(f, "cannot write the output: {error}"),
            Self::Told { message, tip: None, .. } => f.write_str(message),
            Self::Told { message, tip: Some(tip), .. } => write!(f, "{message}\n  tip: {tip}"),
        }
    }
}

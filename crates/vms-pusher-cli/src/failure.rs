//! How the program ends.

use std::{fmt, io, process::ExitCode};

use serde::Serialize;
use vms_pusher::{PusherError, PusherErrorKind, VmsTime};

use crate::output::escape;

/// The exit code. The codes are documented in `--help` and the man pages; they do not change.
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
    /// The output cannot be written; if its reader went away, that is not a failure.
    Output(io::Error),
    /// Something to report.
    Reported(Box<Report>),
}

/// What there is to report about a failure.
#[derive(Debug)]
pub(crate) struct Report {
    exit: Exit,
    /// What failed, and against which address. It holds no secret, and may hold what a server said.
    message: String,
    /// What to try.
    tip: Option<String>,
    cause: Cause,
}

/// What kind of failure it is, for a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) kind: PusherErrorKind,
    /// The Pusher code.
    pub(crate) code: Option<u16>,
    /// The HTTP status.
    pub(crate) status: Option<u16>,
}

impl From<&PusherError> for Cause {
    fn from(error: &PusherError) -> Self {
        Self { kind: error.kind, code: error.code, status: error.status }
    }
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl fmt::Display) -> Self {
        let cause = Cause { kind: PusherErrorKind::Other, code: None, status: None };
        Self::Reported(Box::new(Report { exit, message: message.to_string(), tip: None, cause }))
    }

    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Adds what to try.
    #[must_use]
    pub(crate) fn tip(mut self, tip: impl fmt::Display) -> Self {
        if let Self::Reported(report) = &mut self {
            report.tip = Some(tip.to_string());
        }
        self
    }

    /// Adds where it happened, such as the account or the file.
    #[must_use]
    pub(crate) fn of(mut self, whom: &str) -> Self {
        if let Self::Reported(report) = &mut self {
            report.message.insert_str(0, &format!("{whom}: "));
        }
        self
    }

    /// Adds what kind of failure it is.
    #[must_use]
    pub(crate) fn because(mut self, cause: impl Into<Cause>) -> Self {
        if let Self::Reported(report) = &mut self {
            report.cause = cause.into();
        }
        self
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::Output(_) => Exit::Other,
            Self::Reported(report) => report.exit,
        }
    }

    /// Returns what failed, without what to try.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Output(error) => error.to_string(),
            Self::Reported(report) => report.message.clone(),
        }
    }

    /// Returns the failure as the last JSON line; none if there is nothing to report, or nobody to read it.
    pub(crate) fn to_line(&self, time: VmsTime) -> Option<FailureLine<'_>> {
        self.line(time, None, true)
    }

    /// Returns the failure of one of several accounts as a JSON line.
    pub(crate) fn to_line_of<'f>(&'f self, time: VmsTime, account: Option<&'f str>) -> Option<FailureLine<'f>> {
        self.line(time, account, false)
    }

    fn line<'f>(&'f self, time: VmsTime, account: Option<&'f str>, is_last: bool) -> Option<FailureLine<'f>> {
        let Self::Reported(report) = self else { return None };
        let Report { exit, message, tip, cause: Cause { kind, code, status } } = &**report;
        Some(FailureLine {
            time,
            account,
            item: "error",
            kind: *kind,
            code: *code,
            status: *status,
            message,
            tip: tip.as_deref(),
            exit_code: is_last.then(|| exit.code()),
        })
    }
}

/// The JSON line of a failure: that of an error, with what to try.
#[derive(Debug, Serialize)]
pub(crate) struct FailureLine<'f> {
    time: VmsTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'f str>,
    item: &'static str,
    kind: PusherErrorKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    message: &'f str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tip: Option<&'f str>,
    /// In the last line.
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Safe to print: each part stays on its line, whatever a server put into it.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Output(error) => write!(f, "cannot write the output: {error}"),
            Self::Reported(report) => {
                f.write_str(&escape::line(&report.message))?;
                report.tip.as_ref().map_or(Ok(()), |tip| write!(f, "\n  tip: {}", escape::line(tip)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // M06
    #[test]
    fn what_a_server_says_makes_no_line_of_its_own() {
        let failure =
            Failure::new(Exit::Unauthorized, "it ended: bye\nerror: forged\r\u{2028}\u{34f}").tip("try\nthis");
        let expected = "it ended: bye\\nerror: forged\\r\\u{2028}\\u{34f}\n  tip: try\\nthis";
        assert_eq!(failure.to_string(), expected);
    }

    #[test]
    fn a_failure_is_an_error_with_the_exit_code_as_a_json_line() {
        let error =
            PusherError { kind: PusherErrorKind::Refused, code: Some(4001), status: None, message: String::new() };
        let failure = Failure::new(Exit::Refused, "refused").tip("check").because(&error);
        let time = VmsTime::from_unix_micros(0).unwrap();
        let line = serde_json::to_value(failure.to_line(time).unwrap()).unwrap();
        let expected = serde_json::json!({
            "time": time, "item": "error", "kind": "refused", "code": 4001, "message": "refused", "tip": "check",
            "exit_code": 5,
        });
        assert_eq!(line, expected);
        let item: vms_pusher::VmsSocketItem = serde_json::from_value(line).unwrap();
        assert!(matches!(item, vms_pusher::VmsSocketItem::Error(PusherError { code: Some(4001), .. })), "{item:?}");
        assert!(Failure::from(io::Error::from(io::ErrorKind::BrokenPipe)).to_line(time).is_none());
    }
}

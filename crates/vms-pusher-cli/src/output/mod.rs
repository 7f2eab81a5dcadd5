//! The two streams: data on stdout, everything else on stderr.

pub(crate) mod describe;
pub(crate) mod escape;
pub(crate) mod fields;
pub(crate) mod json;
pub(crate) mod text;
pub(crate) mod times;
pub(crate) mod wrap;

use std::io::{self, Stderr, Stdout, Write as _};

use anstream::AutoStream;

use crate::{
    clock,
    failure::{Exit, Failure},
};
use text::{Tone, paint};

/// Writes lines. Colours reach terminals alone, unless something else is asked for.
pub(crate) struct Output {
    stdout: AutoStream<Stdout>,
    stderr: AutoStream<Stderr>,
}

impl Output {
    pub(crate) fn new(color: clap::ColorChoice) -> Self {
        let choice = match color {
            clap::ColorChoice::Always => anstream::ColorChoice::Always,
            clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
            clap::ColorChoice::Never => anstream::ColorChoice::Never,
        };
        Self { stdout: AutoStream::new(io::stdout(), choice), stderr: AutoStream::new(io::stderr(), choice) }
    }

    /// Writes one line, or several, to stdout, and hands it on at once.
    pub(crate) fn data(&mut self, line: &str) -> Result<(), Failure> {
        self.stdout.write_all(format!("{line}\n").as_bytes())?;
        Ok(self.stdout.flush()?)
    }

    /// Returns how many columns the terminal on stdout has; none when it is no terminal.
    #[cfg(unix)]
    pub(crate) fn width() -> Option<usize> {
        let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok()?;
        Some(size.ws_col.into()).filter(|width| *width > 0)
    }

    /// Where it cannot be asked for, the terminal breaks lines as it likes.
    #[cfg(not(unix))]
    pub(crate) const fn width() -> Option<usize> {
        None
    }

    /// Writes bytes to stdout as they are.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let stdout = self.stdout.as_inner();
        stdout.lock().write_all(bytes)?;
        Ok(stdout.lock().flush()?)
    }

    /// Writes to stderr. When that is gone there is nobody left to tell.
    pub(crate) fn note(&mut self, line: &str) {
        let _ = self.stderr.write_all(format!("{line}\n").as_bytes()).and_then(|()| self.stderr.flush());
    }

    /// Tells on stderr how the program failed.
    pub(crate) fn failure(&mut self, failure: &Failure) {
        self.note(&format!("{} {failure}", paint(Tone::Error, "error:")));
    }

    /// Ends JSON lines with how the program failed, when it did.
    pub(crate) fn last_line(&mut self, ended: &Result<Exit, Failure>) {
        let Some(line) = ended.as_ref().err().and_then(|failure| failure.to_line(clock::now())) else { return };
        // Whoever read the output is gone, or it cannot be written: there is nobody left to tell.
        if let Ok(line) = json::line(&line) {
            let _ = self.data(&line);
        }
    }

    /// Tells on stderr of something that is no failure.
    pub(crate) fn warning(&mut self, text: &str) {
        self.note(&format!("{} {}", paint(Tone::Gap, "note:"), escape::line(text)));
    }
}

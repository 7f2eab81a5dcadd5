//! A password from the environment, a prompt without echo, or stdin.

use std::{
    io::{IsTerminal as _, Read as _},
    path::Path,
};

use vms_pusher::Secret;

use super::files;
use crate::{
    failure::{Exit, Failure},
    stop::Stop,
};

/// Gets the password of `login`.
pub(super) fn get(login: &str, stop: &Stop) -> Result<Secret, Failure> {
    let password = match std::env::var("VMS_PASSWORD") {
        Ok(password) => Secret::new(password),
        Err(std::env::VarError::NotPresent) if std::io::stdin().is_terminal() => prompt(login, stop)?,
        Err(std::env::VarError::NotPresent) => stop.waiting(first_line_of_stdin)?,
        Err(std::env::VarError::NotUnicode(_)) => {
            return Err(Failure::usage("VMS_PASSWORD is not UTF-8").tip("set it again, or pipe the password to stdin"));
        }
    };
    if password.expose().is_empty() {
        return Err(Failure::usage(format!("there is no password for `{login}`: it is empty"))
            .tip("set VMS_PASSWORD, pipe it to stdin, or type it at the prompt"));
    }
    Ok(password)
}

/// Reads the password of `login` in a file: its first line.
pub(super) fn of_file(login: &str, path: &Path) -> Result<Secret, Failure> {
    let mut bytes = files::read_secret("password-file", path)?;
    bytes.truncate(bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len()));
    let password = text(bytes)?;
    if password.expose().is_empty() {
        return Err(Failure::usage(format!("there is no password for `{login}`: the file of password-file is empty")));
    }
    Ok(password)
}

/// Byte by byte, so that what follows the line is left for others.
fn first_line_of_stdin() -> Result<Secret, Failure> {
    let mut line = Vec::new();
    for byte in std::io::stdin().lock().bytes().take(MAX_BYTES) {
        match byte
            .map_err(|error| Failure::new(Exit::Other, format!("cannot read the password from stdin: {error}")))?
        {
            b'\n' => break,
            byte => line.push(byte),
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    text(line)
}

fn text(bytes: Vec<u8>) -> Result<Secret, Failure> {
    String::from_utf8(bytes).map(Secret::new).map_err(|_| Failure::usage("the password is not UTF-8"))
}

#[cfg(not(unix))]
fn prompt(_login: &str, _stop: &Stop) -> Result<Secret, Failure> {
    Err(Failure::usage("this system has no password prompt").tip("set VMS_PASSWORD, or pipe it to stdin"))
}

#[cfg(unix)]
fn prompt(login: &str, stop: &Stop) -> Result<Secret, Failure> {
    use std::io::Write as _;

    let terminal = terminal::Terminal::new()
        .map_err(|error| Failure::new(Exit::Other, format!("cannot turn off the terminal's echo: {error}")))?;
    let left = terminal.clone();
    let ask = || {
        let _ = write!(std::io::stderr(), "Password for {}: ", crate::output::escape::line(login));
    };
    let typed = stop.waiting_tidily(move || left.restore(), || terminal.read_line(ask));
    terminal.restore();
    let _ = writeln!(std::io::stderr());
    match typed {
        Ok(Some(line)) => text(line),
        Ok(None) => Err(Failure::new(Exit::Interrupted, "interrupted")),
        Err(error) => Err(Failure::new(Exit::Other, format!("cannot read the password: {error}"))),
    }
}

#[cfg(unix)]
mod terminal {
    use std::io::{self, Read as _};

    use rustix::{
        process::{Signal, getpgrp, kill_process_group},
        termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr},
    };

    /// The terminal on stdin, without echo while a password is typed. The keys that interrupt and suspend come as bytes,
    /// for neither must happen before the echo is back.
    #[derive(Clone)]
    pub(super) struct Terminal {
        before: Termios,
        silent: Termios,
    }

    impl Terminal {
        /// Turns the echo off.
        pub(super) fn new() -> io::Result<Self> {
            let before = tcgetattr(rustix::stdio::stdin())?;
            let mut silent = before.clone();
            silent.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
            let terminal = Self { before, silent };
            terminal.silence()?;
            Ok(terminal)
        }

        /// What is typed ahead is discarded, so that nobody's password appears where the echo is on.
        fn silence(&self) -> io::Result<()> {
            Ok(tcsetattr(rustix::stdio::stdin(), OptionalActions::Flush, &self.silent)?)
        }

        /// Makes the terminal what it was.
        pub(super) fn restore(&self) {
            let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Flush, &self.before);
        }

        /// Suspends the job as the key does at any other time, and returns when it goes on.
        fn suspend(&self) -> io::Result<()> {
            self.restore();
            kill_process_group(getpgrp(), Signal::TSTP)?;
            self.silence()
        }

        /// Asks, and reads up to the end of the line; none when it was interrupted.
        pub(super) fn read_line(&self, ask: impl Fn()) -> io::Result<Option<Vec<u8>>> {
            let mut line = Vec::new();
            ask();
            for byte in io::stdin().lock().bytes().take(super::MAX_BYTES) {
                match byte? {
                    b'\r' | b'\n' | END => return Ok(Some(line)),
                    INTERRUPT | QUIT => return Ok(None),
                    SUSPEND => {
                        self.suspend()?;
                        line.clear();
                        ask();
                    }
                    BACKSPACE | DELETE => erase(&mut line),
                    KILL => line.clear(),
                    byte => line.push(byte),
                }
            }
            Ok(Some(line))
        }
    }

    /// Erases the last character, which may be several bytes.
    fn erase(line: &mut Vec<u8>) {
        while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
    }

    const INTERRUPT: u8 = 3; // Ctrl-C
    const END: u8 = 4; // Ctrl-D
    const BACKSPACE: u8 = 8;
    const KILL: u8 = 21; // Ctrl-U
    const SUSPEND: u8 = 26; // Ctrl-Z
    const QUIT: u8 = 28; // Ctrl-\
    const DELETE: u8 = 127;
}

/// Longer than any password.
const MAX_BYTES: usize = 4096;

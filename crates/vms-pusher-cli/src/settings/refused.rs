//! Secrets in arguments are refused (Q05): every user of the machine can read them, and shells keep them.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::failure::Failure;

/// Explains an error of the command line that is, or may be, about a secret; without repeating the argument.
pub(crate) fn explain(error: &clap::Error) -> Option<Failure> {
    let (ErrorKind::UnknownArgument, Some(ContextValue::String(argument))) =
        (error.kind(), error.get(ContextKind::InvalidArg))
    else {
        return None;
    };
    let why = "where everyone on this machine could read it";
    let named = |names: &[&str]| names.iter().any(|name| argument.to_ascii_lowercase().contains(name));
    if !argument.starts_with('-') {
        let failure = Failure::usage("there is an unexpected argument; it is not shown, as it may be a secret");
        return Some(failure.tip("--help lists the options; tokens and passwords are never arguments"));
    }
    if argument == "-p" || named(&["pass", "pwd"]) {
        let failure = Failure::usage(format!("a password is not taken from an argument, {why}"));
        return Some(failure.tip("with --login NAME, it is prompted for or taken from VMS_PASSWORD or stdin"));
    }
    if named(&["token", "bearer", "secret"]) {
        let failure = Failure::usage(format!("a token is not taken from an argument, {why}"));
        return Some(failure.tip("put it in the environment variable VMS_TOKEN, or in a file for --token-file"));
    }
    None
}

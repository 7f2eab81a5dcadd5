//! Secrets in arguments are refused (Q05): every user of the machine can read them, and shells keep them.

use crate::{args::ListenArgs, failure::Failure};

/// Refuses arguments that are, or may be, secrets; the error does not repeat them.
pub(super) fn check(args: &ListenArgs) -> Result<(), Failure> {
    let why = "it could be read by everyone on this machine";
    if args.token.is_some() {
        return Err(Failure::usage(format!("a token is not taken from an argument, where {why}"))
            .tip("put it into the environment variable VMS_TOKEN, or into a file for --token-file"));
    }
    if args.password.is_some() {
        return Err(Failure::usage(format!("a password is not taken from an argument, where {why}"))
            .tip("with --login NAME it is prompted for, or comes from VMS_PASSWORD or stdin"));
    }
    if !args.stray.is_empty() {
        return Err(Failure::usage(
            "there is an argument that belongs to no option; it is not shown, as it may be a secret",
        )
        .tip("`vms-pusher listen --help` lists the options; tokens and passwords are never arguments"));
    }
    Ok(())
}

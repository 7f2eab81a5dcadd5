//! The program `vms-pusher`: realtime events of a video-management system (VMS) on the command line.
//!
//! From the outside in: `args` is the command line as given, `settings` its interpretation, and `demo`, `listen`,
//! `sandbox`, `control` (`push` and `cut`), `drive` (the other commands for a sandbox) and `generate` carry it out.
//! `output` writes lines for people and for programs, `failure` is how the program fails, `stop` how it is stopped.
//!
//! # JSON lines
//!
//! With `--json`, every line on stdout is one object: `time`, when it was printed (UTC, RFC 3339), `account`, the account
//! it belongs to, with `--account`, and the fields of a [`VmsSocketItem`](vms_pusher::VmsSocketItem), into which a line can
//! be deserialized. No name is ever changed or removed. `vms-pusher listen --help` describes the lines without Rust.
//!
//! | `item` | other fields |
//! |---|---|
//! | `app_socket`, `intercom_socket` | `channel`, on which it arrived; `wire_type`, such as `mark_created`; `type`, the event's name, and `data`, a [`VmsAppSocketData`](vms_pusher::VmsAppSocketData) or [`VmsIntercomSocketData`](vms_pusher::VmsIntercomSocketData) with the names of the wire |
//! | `continuity` | `change` and its fields: [`VmsContinuity`](vms_pusher::VmsContinuity) |
//! | `connection_state` | `from`, `to`: [`ConnectionState`](vms_pusher::ConnectionState) |
//! | `error` | `kind`, `message`, and `code` and `status` if the server gave them: [`PusherError`](vms_pusher::PusherError) |
//! | `info` | `message`, for developers |
//!
//! When the program fails, the last line is an `error` that also has `exit_code` and possibly `tip`, what to try.
//!
//! `demo --json` adds `side`: `client` for these, `server` for what the sandbox does (`what` and its fields:
//! [`Activity`](vms_sandbox::Activity)), and `summary` for the last line.

mod args;
mod clock;
mod control;
mod demo;
mod drive;
mod event_name;
mod failure;
mod generate;
mod listen;
mod output;
mod sandbox;
mod settings;
mod stop;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command};
use failure::{Exit, Failure};
use output::Output;
use settings::{ListenSettings, SandboxSettings};
use stop::Stop;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            if let Some(failure) = settings::refused::explain(&error) {
                Output::new(clap::ColorChoice::Auto).failure(&failure);
                return failure.exit().into();
            }
            // Help and version are data: the reader may go away.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    let mut output = Output::new(cli.color);
    match run(cli.command, &mut output) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            let exit = failure.exit();
            if exit != Exit::Done {
                output.failure(&failure);
            }
            exit.into()
        }
    }
}

fn run(command: Command, output: &mut Output) -> Result<Exit, Failure> {
    match command {
        Command::Completions { shell } => output.raw(&generate::completions(shell)).map(|()| Exit::Done),
        Command::Cut(args) => on_runtime(async || control::cut(args, output).await),
        Command::Demo(args) => on_runtime(async || {
            let (stop, json) = (Stop::install()?, args.json);
            let ended = demo::run(args, output, &stop).await;
            end_in_json(json, output, ended)
        }),
        Command::Expire(args) => on_runtime(async || drive::expire(args, output).await),
        Command::Fault(args) => on_runtime(async || drive::fault(args, output).await),
        Command::Listen(args) => on_runtime(async || {
            let (stop, json) = (Stop::install()?, args.json);
            let ended = match ListenSettings::new(*args, &stop) {
                Ok(settings) => listen::run(settings, output, &stop).await,
                Err(failure) => Err(failure),
            };
            end_in_json(json, output, ended)
        }),
        Command::Logout(args) => on_runtime(async || drive::log_out(args, output).await),
        Command::Man { command } => output.raw(&generate::man(command.as_deref())?).map(|()| Exit::Done),
        Command::Push(args) => on_runtime(async || control::push(args, output).await),
        Command::Sandbox(args) => {
            let json = args.json;
            let ended = SandboxSettings::new(args)
                .and_then(|settings| on_runtime(async || sandbox::run(settings, output, &Stop::install()?).await));
            end_in_json(json, output, ended)
        }
        Command::State(args) => on_runtime(async || drive::state(args, output).await),
    }
}

/// Reports a failure in a last JSON line too, if the output is JSON.
fn end_in_json(json: bool, output: &mut Output, ended: Result<Exit, Failure>) -> Result<Exit, Failure> {
    if json {
        output.last_line(&ended);
    }
    ended
}

/// The work itself runs on this thread, which a write may block; another one keeps the connection alive.
fn on_runtime(work: impl AsyncFnOnce() -> Result<Exit, Failure>) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Exit::Other, format!("cannot start the runtime: {error}")))?;
    let ended = runtime.block_on(work());
    // A name lookup cannot be cancelled, and must not be waited for.
    runtime.shutdown_background();
    ended
}

//! The command line as it was given; [`settings`](crate::settings) interprets it.

mod control;
mod demo;
mod drive;
mod listen;
mod sandbox;

use clap::{Parser, Subcommand};

pub(crate) use self::{
    control::{CutArgs, PushArgs, SandboxAddress, event_name},
    demo::DemoArgs,
    drive::{ExpireArgs, FaultArgs, FaultTarget, LogoutArgs, StateArgs},
    listen::ListenArgs,
    sandbox::{SandboxArgs, UserArg},
};

/// Realtime events of a video-management system (VMS), typed and in order.
#[derive(Debug, Parser)]
#[command(
    name = "vms-pusher",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(after_help = START, after_long_help = after_long_help(START))]
pub(crate) struct Cli {
    /// When to colour the output; `NO_COLOR` is honoured.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: clap::ColorChoice,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(DemoArgs),
    Listen(Box<ListenArgs>),
    Sandbox(SandboxArgs),
    Push(PushArgs),
    Cut(CutArgs),
    Logout(LogoutArgs),
    Expire(ExpireArgs),
    Fault(FaultArgs),
    State(StateArgs),
    /// Print a shell completion script.
    #[command(
        after_help = "For bash:  vms-pusher completions bash > ~/.local/share/bash-completion/completions/vms-pusher"
    )]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print a man page (roff).
    #[command(after_help = "To read it:  vms-pusher man listen | man -l -")]
    Man {
        /// The command to print the page of [default: the program itself].
        command: Option<String>,
    },
}

/// The program's exit codes, for `--help` and the man pages.
const EXIT_CODES: &str = "\
Exit codes:
  0    success; also after SIGTERM, or when the reader of the output went away
  1    another failure: a file, the output, a port to listen on; or the time of
       --for was up before the events of --count had arrived
  2    the command line, or a setting in it, is wrong
  3    no channel was subscribed within --connect-timeout, or the server sent an
       unusable answer, such as an invalid address
  4    not authorized, or the server ended the session
  5    the server refused the connection permanently, with a code from 4000 to
       4099
  6    the sandbox cannot be controlled: there is none, or it refused
  130  interrupted (Ctrl-C)";

const START: &str = "Start with `vms-pusher demo`: it needs nothing else.";

fn after_long_help(notes: &str) -> String {
    format!("{notes}\n\nData goes to stdout, everything else to stderr.\n\n{EXIT_CODES}")
}

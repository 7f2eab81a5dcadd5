use std::{net::SocketAddr, path::PathBuf};

use clap::Args;
use vms_sandbox::Profile;

/// Run a local VMS simulator until stopped.
///
/// Serves REST, channel authorization and a Pusher server on one port, with a user and a session. Prints what a client
/// needs; `push`, `cut`, `logout`, `expire`, `fault` and `state` control it from another terminal.
#[derive(Debug, Args)]
#[command(after_long_help = super::after_long_help(NOTES))]
pub(crate) struct SandboxArgs {
    /// Where to listen; port 0 picks a free port.
    #[arg(long, value_name = "ADDR", default_value = DEFAULT_BIND)]
    pub(crate) bind: SocketAddr,

    /// Which Pusher server to imitate.
    #[arg(long, value_name = "NAME", default_value = Profile::default().as_str(), value_parser = super::demo::profile())]
    pub(crate) profile: Profile,

    /// A user who may log in, with one session open from the start; may be repeated.
    ///
    /// The password is the first line of the file, or without a file the name.
    #[arg(long = "user", value_name = "ID:NAME[:PASSWORD_FILE]", default_value = "42:demo", value_parser = user)]
    pub(crate) users: Vec<UserArg>,

    /// Serve https and wss with a generated certificate; prints what clients have to trust.
    #[arg(long, conflicts_with_all = ["tls_cert", "tls_key"])]
    pub(crate) tls: bool,

    /// Serve https and wss with this certificate chain (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// The key of the certificate (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,

    /// The host in the URLs given to clients, such as the name in the certificate.
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Option<String>,

    /// Play a day of events as soon as a client has subscribed.
    #[arg(long)]
    pub(crate) scenario: bool,

    /// Repeat the day indefinitely, without the logout at its end.
    #[arg(long = "loop", requires = "scenario")]
    pub(crate) repeat: bool,

    /// Allow control on an address other than loopback, by anyone who can reach the port.
    #[arg(long)]
    pub(crate) allow_remote_control: bool,

    /// Print what a client needs as one JSON line.
    #[arg(long)]
    pub(crate) json: bool,

    /// Do not report activity on stderr.
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// A user of the sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UserArg {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) password_file: Option<PathBuf>,
}

fn user(text: &str) -> Result<UserArg, &'static str> {
    let wrong = "write it as ID:NAME or ID:NAME:PASSWORD_FILE, where ID is a number";
    let mut parts = text.splitn(3, ':');
    let id = parts.next().and_then(|id| id.parse().ok()).ok_or(wrong)?;
    let name = parts.next().filter(|name| !name.is_empty()).ok_or(wrong)?.to_owned();
    let password_file = parts.next().map(PathBuf::from);
    if password_file.as_ref().is_some_and(|file| file.as_os_str().is_empty()) {
        return Err(wrong);
    }
    Ok(UserArg { id, name, password_file })
}

/// Where a sandbox listens by default, and where the commands that control it look for it.
pub(super) const DEFAULT_BIND: &str = "127.0.0.1:7878";

const NOTES: &str = "\
The printed token is valid in the sandbox only: it is the same at every start
and protects nothing. Stop the sandbox with Ctrl-C or SIGTERM.

The commands use an HTTP API with JSON bodies under /sandbox on the same port,
open to any program: POST push, raw, send, cut, stall, resume, close, logout,
token_status, latency, listening and fault; DELETE faults; GET state and types.

  curl -d '{\"type\":\"cameras_updated\"}' http://127.0.0.1:7878/sandbox/push
  curl -d '{\"kind\":\"ping\",\"times\":0}' http://127.0.0.1:7878/sandbox/fault
  curl http://127.0.0.1:7878/sandbox/state

docs/sandbox.md in the source repository describes each of them.";

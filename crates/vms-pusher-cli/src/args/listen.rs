use std::{path::PathBuf, time::Duration};

use clap::{Args, builder::PossibleValuesParser};

use crate::{event_name, settings::duration};

/// Print the events of a VMS as they arrive.
///
/// Reconnects indefinitely, and reports what may have been missed in between. Exits on Ctrl-C or SIGTERM, as --for and
/// --count say, and when the server ends the session or refuses it permanently. With --login, a session that is no longer
/// valid is replaced by a new one.
#[derive(Debug, Args)]
#[command(after_help = SHORT_NOTES, after_long_help = super::after_long_help(&notes()))]
pub(crate) struct ListenArgs {
    /// The base URL of the VMS, such as `https://example.com`.
    #[arg(long, value_name = "URL", env = "VMS_BASE_URL", required_unless_present = "account")]
    pub(crate) base_url: Option<String>,

    /// Log in as this user; the password comes from `VMS_PASSWORD` or stdin, with a prompt on a terminal.
    #[arg(long, value_name = "NAME", help_heading = "Who is listening", conflicts_with_all = ["token_file", "user_id", "access_token_id"])]
    pub(crate) login: Option<String>,

    /// Read the token from this file, or from stdin for `-` [default: `VMS_TOKEN`, unless --login is given].
    #[arg(long, value_name = "FILE", help_heading = "Who is listening")]
    pub(crate) token_file: Option<PathBuf>,

    /// The id of the user that the token belongs to.
    #[arg(long, value_name = "ID", help_heading = "Who is listening", allow_negative_numbers = true)]
    pub(crate) user_id: Option<i64>,

    /// The id of the token, after which its session's channel is named.
    #[arg(long, value_name = "ID", help_heading = "Who is listening")]
    pub(crate) access_token_id: Option<String>,

    /// Listen as the account in this file; may be repeated, to listen as several accounts at once.
    #[arg(long, value_name = "FILE", help_heading = "Who is listening")]
    #[arg(conflicts_with_all = ["login", "token_file", "user_id", "access_token_id", "socket_url", "app_key"])]
    pub(crate) account: Vec<PathBuf>,

    /// The URL of the Pusher server, such as `wss://example.com/pusher` [default: ask the VMS].
    #[arg(long, value_name = "URL", help_heading = "Connection")]
    pub(crate) socket_url: Option<String>,

    /// The Pusher app key [default: ask the VMS].
    #[arg(long, value_name = "KEY", help_heading = "Connection")]
    pub(crate) app_key: Option<String>,

    /// Also trust the root certificates in this file (PEM); may be repeated.
    #[arg(long, value_name = "FILE", help_heading = "Connection")]
    pub(crate) ca: Vec<PathBuf>,

    /// Allow an unencrypted socket (ws://) although the base URL is https://.
    #[arg(long, help_heading = "Connection")]
    pub(crate) allow_insecure_socket: bool,

    /// Exit with code 3 if no channel is subscribed after this long [default: keep trying].
    #[arg(long, value_name = "TIME", help_heading = "Connection", value_parser = duration::parse_positive)]
    pub(crate) connect_timeout: Option<Duration>,

    /// Exit after this long: 20s, 1m30s, 2h.
    #[arg(long = "for", value_name = "TIME", help_heading = "End", value_parser = duration::parse_positive)]
    pub(crate) limit: Option<Duration>,

    /// Exit after printing this many events.
    #[arg(long, value_name = "NUMBER", help_heading = "End", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,

    /// Print JSON lines.
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,

    /// Add the payload as the server sent it to the line of every event; needs --json.
    #[arg(long, help_heading = "Output", requires = "json")]
    pub(crate) raw: bool,

    /// Print only these events: a comma-separated list; may be repeated.
    #[arg(long, value_name = "NAMES", help_heading = "Output", value_delimiter = ',', conflicts_with = "not")]
    #[arg(value_parser = names(), hide_possible_values = true)]
    pub(crate) only: Vec<String>,

    /// Do not print these events: a comma-separated list; may be repeated.
    #[arg(long, value_name = "NAMES", help_heading = "Output", value_delimiter = ',')]
    #[arg(value_parser = names(), hide_possible_values = true)]
    pub(crate) not: Vec<String>,
}

/// The names of the events, and their types on the wire.
fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(event_name::all().into_iter().chain(event_name::wire_types()))
}

fn notes() -> String {
    let names: Vec<_> = event_name::all().chunks(3).map(|three| format!("  {}", three.join(", "))).collect();
    format!("{NOTES}\n{}", names.join(",\n"))
}

const SHORT_NOTES: &str = "`--help` lists the event names and describes the JSON lines.";

const NOTES: &str = "\
Tokens and passwords are never taken from arguments, which every user of the
machine can read.

Failures that may be temporary are reported and retried, from the first call on:
no network, a server in trouble, a web page instead of an answer, a refused
channel. When the known address no longer works, the VMS is asked again for the
socket's address and app key, except for what --socket-url and --app-key give.

A wrong app key ends the program if the server reports it with close code 4001.
Some servers answer with HTTP 403 or just close, as a gateway may do for a
while; that is reported and retried, slowly. A rejected token ends the program,
unless --token-file holds another one by then. With --login, the program logs in
again, and reports a gap on both channels; but not if the new session is
rejected as well, and never again after a rejected password.

For scripts: --for and --count end the program with exit code 0, or 1 if the
time is up before the events have arrived. --connect-timeout covers the start
only: when a connection is lost later, the program keeps reconnecting.

With --account, a file says who listens, with one `key = value` per line. The
keys are options without the leading hyphens; `#` starts a comment.

  # anna.account
  name            = anna
  base-url        = https://vms.example.com
  token-file      = anna.token
  user-id         = 42
  access-token-id = 6f1c2a

Instead of the last three, the file may have `login` and `password-file`, a file
with the password; `socket-url` and `app-key` are optional. A missing `base-url`
is taken from --base-url, a missing `name` from the file name; paths are
relative to the file's folder. Every line of the output names its account. An
account that ends does not end the others; when none is left, or the time is up,
the exit code is that of the first that failed.

As text, events and gaps go to stdout, one event per line: the time (UTC), the
name and the most important fields. States and errors go to stderr. Whatever a
server says stays on one line: control and invisible characters are escaped.

The file of --token-file is read again for every authorization. While it is
empty or holds more than one token, as during a rewrite, nothing is sent, and
the file is read again a little later. At the start, however, that is an error
in the settings (exit code 2).

With --json, everything goes to stdout, one object per line; a failure goes to
stderr as well. `time` is when the line was printed (UTC, RFC 3339); `account`
is the account it belongs to, with --account; `item` is the kind of line, which
determines the other fields:

  app_socket        a push: `channel` is user or token, `wire_type` its type on
                    the wire, `type` the event's name, `data` what it carries
                    (absent when it carries nothing)
  intercom_socket   the same, for intercoms
  continuity        a gap, or its end; `change` is one of
                      fresh {channel}
                      interrupted {channel, since, clock, kind, cause}
                      resync_needed {channel, scopes, since, until, clock}
                      lagged {dropped}
                      unreadable {lost, reason}
                      suspended {channel, since}
                      unavailable {channel, is_final, session_is_invalid}
  connection_state  `from` and `to`: connecting, connected, reconnecting,
                    disconnecting, disconnected
  error             `kind`, `message`, and `code` (Pusher) and `status` (HTTP)
                    if the server gave them
  info              `message`, for developers

`clock` {ahead_ms, uncertainty_ms} is the estimate of the server's clock, in
whose time the gap is given; without it the times are this device's. `channel`
is absent from suspended if the connection is meant. When the program fails, the
last line is an error that also has `exit_code` and possibly `tip`, what to try.

`data` uses the names of the wire, and has those fields known to this version
that were sent and could be read; fields that were absent, null or unusable are
left out. Ids are integers, times RFC 3339. A list is complete or left out. No
name is ever changed or removed; new ones may be added. A push that is unknown
or cannot be read has the type unknown or undecodable, with `event`, `channel`,
the raw `data` and the `reason`.

With --raw, the line of every push ends with `raw`: the payload as the server
sent it, as a JSON string. It contains whatever was left out of `data`.

--only and --not filter events only. Besides the event names they accept the
types that `push` accepts, such as mark_created; each stands for the event that
it becomes (event_created). The event names:";

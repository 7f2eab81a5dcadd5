use std::{path::PathBuf, time::Duration};

use clap::{Args, builder::PossibleValuesParser};

use crate::{event_name, settings::duration};

/// Print the events of a VMS as they come.
///
/// Reconnects for ever, and says what may have been missed meanwhile. Ends at Ctrl-C, at SIGTERM, as --for and --count say,
/// when the server ends the session or refuses it for good; with --login, a session that is no longer valid is followed by
/// another.
#[derive(Debug, Args)]
#[command(after_help = SHORT_NOTES, after_long_help = super::after_long_help(&notes()))]
pub(crate) struct ListenArgs {
    /// The base URL of the VMS, such as `https://example.com`.
    #[arg(long, value_name = "URL", env = "VMS_BASE_URL", required_unless_present = "account")]
    pub(crate) base_url: Option<String>,

    /// Log in as this user; the password comes from `VMS_PASSWORD`, or from stdin, where it is prompted for on a terminal.
    #[arg(long, value_name = "NAME", help_heading = "Who is listening", conflicts_with_all = ["token_file", "user_id", "access_token_id"])]
    pub(crate) login: Option<String>,

    /// Read the token from this file, or from stdin for `-`; without it and --login it comes from `VMS_TOKEN`.
    #[arg(long, value_name = "FILE", help_heading = "Who is listening")]
    pub(crate) token_file: Option<PathBuf>,

    /// The id of the user that the token belongs to.
    #[arg(long, value_name = "ID", help_heading = "Who is listening", allow_negative_numbers = true)]
    pub(crate) user_id: Option<i64>,

    /// The id of the token: its session's channel is named after it.
    #[arg(long, value_name = "ID", help_heading = "Who is listening")]
    pub(crate) access_token_id: Option<String>,

    /// Listen as the account in this file; may be repeated, to listen as several at once.
    #[arg(long, value_name = "FILE", help_heading = "Who is listening")]
    #[arg(conflicts_with_all = ["login", "token_file", "user_id", "access_token_id", "socket_url", "app_key"])]
    pub(crate) account: Vec<PathBuf>,

    /// Where the Pusher server is, such as `wss://example.com/pusher`; without it the VMS is asked.
    #[arg(long, value_name = "URL", help_heading = "Connection")]
    pub(crate) socket_url: Option<String>,

    /// The Pusher application key; without it the VMS is asked.
    #[arg(long, value_name = "KEY", help_heading = "Connection")]
    pub(crate) app_key: Option<String>,

    /// Trust the root certificates in this file too (PEM); may be repeated.
    #[arg(long, value_name = "FILE", help_heading = "Connection")]
    pub(crate) ca: Vec<PathBuf>,

    /// Allow an unencrypted socket (ws://) although the base URL is https://.
    #[arg(long, help_heading = "Connection")]
    pub(crate) allow_insecure_socket: bool,

    /// End with exit code 3 when no channel is subscribed after this long; without it, it is tried for ever.
    #[arg(long, value_name = "TIME", help_heading = "Connection", value_parser = duration::parse_positive)]
    pub(crate) connect_timeout: Option<Duration>,

    /// End after this long: 20s, 1m30s, 2h.
    #[arg(long = "for", value_name = "TIME", help_heading = "End", value_parser = duration::parse_positive)]
    pub(crate) limit: Option<Duration>,

    /// End when so many events have been printed.
    #[arg(long, value_name = "NUMBER", help_heading = "End", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,

    /// Print JSON lines.
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,

    /// Add to the line of every event what the server sent, as it came; needs --json.
    #[arg(long, help_heading = "Output", requires = "json")]
    pub(crate) raw: bool,

    /// Print these events alone: a list with commas; may be repeated.
    #[arg(long, value_name = "NAMES", help_heading = "Output", value_delimiter = ',', conflicts_with = "not")]
    #[arg(value_parser = names(), hide_possible_values = true)]
    pub(crate) only: Vec<String>,

    /// Do not print these events: a list with commas; may be repeated.
    #[arg(long, value_name = "NAMES", help_heading = "Output", value_delimiter = ',')]
    #[arg(value_parser = names(), hide_possible_values = true)]
    pub(crate) not: Vec<String>,
}

/// The names of the events, and the types of the wire.
fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(event_name::all().into_iter().chain(event_name::wire_types()))
}

fn notes() -> String {
    let names: Vec<_> = event_name::all().chunks(3).map(|four| format!("  {}", four.join(", "))).collect();
    format!("{NOTES}\n{}", names.join(",\n"))
}

const SHORT_NOTES: &str = "`--help` tells the event names and the format of the JSON lines.";

const NOTES: &str = "\
A token or a password is never taken from an argument, which every user of the
machine can read.

What may pass by itself is told and tried again, from the first call on: no
network, a server in trouble, a web page in the place of an answer, a channel
that is refused. The VMS is asked again where its socket is when the known
address does not work any more, but for what --socket-url and --app-key give.

A wrong app key ends it where the server says so by close code 4001; some
servers answer it with HTTP 403 or just close, as a gateway may do for a while,
so that is told and tried again, slowly. A token that is refused ends it, unless
--token-file has another one by then. With --login it is logged in again, with a
gap over both channels; but not when the new session is refused too, and never
again after a refused password.

For scripts: --for and --count end it with exit code 0; when the time is up
before the events have come, the exit code is 1. --connect-timeout covers the
start only: a connection that is lost later is waited for.

With --account a file says who listens, one `key = value` a line. The keys are
options without their hyphens; `#` starts a comment.

  # anna.account
  name            = anna
  base-url        = https://vms.example.com
  token-file      = anna.token
  user-id         = 42
  access-token-id = 6f1c2a

In place of the last three there may be `login` and `password-file`, a file with
the password; `socket-url` and `app-key` are optional. A missing `base-url` is
taken from --base-url, a missing `name` from the file's own; other files are
looked for in its folder. Every line of the output names its account. An account
that ends does not end the others; when none is left, or the time is up, the
exit code is that of the first that failed.

In text, events and gaps are on stdout, an event a line: the time (UTC), the
name, the fields that matter. States and errors are on stderr. Whatever a server
says stays on its line: control characters, and those that nobody sees, are
escaped.

The file of --token-file is read again for every authorization. While it is
empty or holds more than one token, as while it is being rewritten, nothing is
sent, and it is read again a little later; only at the start that is an error
of the settings (exit code 2).

With --json everything is on stdout, one object a line; a failure is on stderr
as well. `time` is when it was printed (UTC, RFC 3339), `account` whose it is,
with --account; `item` is what it is, and decides what else there is:

  app_socket        a push: `channel` is user or token, `wire_type` its type on
                    the wire, `type` the event's name, `data` what it carries
                    (absent when it carries nothing)
  intercom_socket   likewise, about intercoms
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
                    when the server gave them
  info              `message`, for a developer

`clock` {ahead_ms, uncertainty_ms} is the estimate of the server's clock in
whose time the gap is; without it the time is that of this device. `channel` of
suspended is absent when it is the connection. When the program fails, the last
line is an error with `exit_code` as well, what it ends with, and perhaps `tip`,
what to try.

`data` has the names of the wire, and the fields of this version that came and
could be read; what is left out was absent, null or of no use. Ids are integers,
times RFC 3339. A list is whole or left out. No name is ever changed or taken
away; new ones may come. A push that is not known or cannot be read has the type
unknown or undecodable: it holds `event`, `channel`, the raw `data` and the
`reason`.

With --raw the line of every push ends with `raw`: the payload that the server
sent, unread, as a string of JSON. Whatever was left out of `data` is in there.

--only and --not filter events and nothing else. Beside the event names they
take the types that `push` takes, such as mark_created, each for the event that
it becomes (event_created). The event names:";

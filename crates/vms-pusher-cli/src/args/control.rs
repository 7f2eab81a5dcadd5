use std::{ffi::OsStr, path::PathBuf};

use clap::{
    Arg, Args, Command,
    builder::{PossibleValue, StringValueParser, TypedValueParser},
};
use vms_sandbox::{EVENT_TYPES, PushEvent, Sockets, Target};

/// Push an event from a running sandbox.
#[derive(Debug, Args)]
#[command(after_long_help = super::after_long_help(PUSH_NOTES))]
pub(crate) struct PushArgs {
    /// The event's type on the wire, such as `mark_created`; --list names them all.
    #[arg(value_name = "TYPE", value_parser = EventTypeParser, hide_possible_values = true)]
    #[arg(required_unless_present = "list")]
    pub(crate) event_type: Option<String>,

    /// Read its body (JSON) from this file, or from stdin for `-` [default: a plausible body].
    #[arg(long, value_name = "FILE")]
    pub(crate) data: Option<PathBuf>,

    /// Who receives it: `everyone`, `user:ID` or `session:ACCESS-TOKEN-ID`.
    #[arg(long, value_name = "TARGET", default_value = "everyone", value_parser = target)]
    pub(crate) to: Target,

    /// The event name to send it under [default: the one that a VMS uses].
    #[arg(long, value_name = "NAME", value_parser = event_parser())]
    pub(crate) event: Option<PushEvent>,

    /// Give it the status `error`.
    #[arg(long)]
    pub(crate) failed: bool,

    /// Its text for the user.
    #[arg(long, value_name = "TEXT")]
    pub(crate) subject: Option<String>,

    /// Push it even if no VMS has such a type.
    #[arg(long)]
    pub(crate) force: bool,

    /// Print the default body, and push nothing.
    #[arg(long, requires = "event_type")]
    pub(crate) show: bool,

    /// List every type, and push nothing.
    #[arg(long, conflicts_with_all = ["event_type", "data"])]
    pub(crate) list: bool,

    #[command(flatten)]
    pub(crate) sandbox: SandboxAddress,
}

/// Cut connections to a running sandbox, so that clients have to reconnect.
#[derive(Debug, Args)]
#[command(after_long_help = super::after_long_help("The connections end without a close frame."))]
pub(crate) struct CutArgs {
    /// Which sockets: `all`, `latest`, `id:SOCKET-ID`, `user:ID` or `session:ACCESS-TOKEN-ID`.
    #[arg(long, value_name = "SOCKETS", default_value = "all", value_parser = sockets)]
    pub(crate) to: Sockets,

    /// End the connections with a TCP reset.
    #[arg(long)]
    pub(crate) reset: bool,

    #[command(flatten)]
    pub(crate) sandbox: SandboxAddress,
}

/// Which sandbox to control.
#[derive(Debug, Args)]
pub(crate) struct SandboxAddress {
    /// The base URL of the sandbox.
    #[arg(long, value_name = "URL", env = "VMS_SANDBOX", default_value_t = default_url())]
    pub(crate) sandbox: String,

    /// Also trust the root certificates in this file (PEM), for a sandbox with TLS.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Vec<PathBuf>,
}

fn default_url() -> String {
    format!("http://{}", super::sandbox::DEFAULT_BIND)
}

/// Accepts any text; completions offer the types of a VMS.
#[derive(Clone)]
struct EventTypeParser;

impl TypedValueParser for EventTypeParser {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(EVENT_TYPES.iter().map(|row| PossibleValue::new(row.name))))
    }
}

fn event_parser() -> impl TypedValueParser<Value = PushEvent> {
    let names = [PushEvent::Token, PushEvent::User, PushEvent::Notification].map(event_name);
    clap::builder::PossibleValuesParser::new(names).map(|name| match name.as_str() {
        "token" => PushEvent::Token,
        "user" => PushEvent::User,
        _ => PushEvent::Notification,
    })
}

/// The short name of an event name.
pub(crate) const fn event_name(event: PushEvent) -> &'static str {
    match event {
        PushEvent::Token => "token",
        PushEvent::User => "user",
        PushEvent::Notification => "notification",
    }
}

fn target(text: &str) -> Result<Target, &'static str> {
    let wrong = "use `everyone`, `user:ID` with a number, or `session:ACCESS-TOKEN-ID`";
    match text.split_once(':') {
        None if text == "everyone" => Ok(Target::Everyone),
        Some(("user", id)) => id.parse().map(Target::User).map_err(|_| wrong),
        Some(("session", id)) if !id.is_empty() => Ok(Target::Session(id.to_owned())),
        _ => Err(wrong),
    }
}

fn sockets(text: &str) -> Result<Sockets, &'static str> {
    let wrong = "use `all`, `latest`, `id:SOCKET-ID`, `user:ID` with a number, or `session:ACCESS-TOKEN-ID`";
    match text.split_once(':') {
        None if text == "all" => Ok(Sockets::All),
        None if text == "latest" => Ok(Sockets::Latest),
        Some(("id", id)) if !id.is_empty() => Ok(Sockets::Id(id.to_owned())),
        Some(("user", id)) => id.parse().map(Sockets::User).map_err(|_| wrong),
        Some(("session", id)) if !id.is_empty() => Ok(Sockets::Session(id.to_owned())),
        _ => Err(wrong),
    }
}

const PUSH_NOTES: &str = "\
The JSON of --data is the `data.data` of a token or user push; for a
notification, it is the fields other than `type` and `id`. To start from the
default body:

  vms-pusher push mark_created --show > mark.json
  vms-pusher push mark_created --data mark.json";

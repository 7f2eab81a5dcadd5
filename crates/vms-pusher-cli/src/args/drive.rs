use std::num::NonZeroU32;

use clap::{Args, ValueEnum};

use super::SandboxAddress;

/// End sessions of a running sandbox: push `logout` to them, and reject their tokens from then on.
#[derive(Debug, Args)]
#[command(after_long_help = super::after_long_help("Connections stay open, as on a VMS: closing them is up to the client."))]
pub(crate) struct LogoutArgs {
    /// The access token id of the session [default: every session].
    #[arg(long, value_name = "ID")]
    pub(crate) session: Option<String>,

    /// The reason, shown to the user.
    #[arg(long, value_name = "TEXT")]
    pub(crate) subject: Option<String>,

    #[command(flatten)]
    pub(crate) sandbox: SandboxAddress,
}

/// Expire tokens of a running sandbox, so that its API answers 419.
#[derive(Debug, Args)]
#[command(after_long_help = super::after_long_help("Existing subscriptions stay: a client notices at its next call."))]
pub(crate) struct ExpireArgs {
    /// The access token id of the session [default: every session].
    #[arg(long, value_name = "ID")]
    pub(crate) session: Option<String>,

    /// Make the tokens valid again, including those of ended sessions.
    #[arg(long)]
    pub(crate) undo: bool,

    #[command(flatten)]
    pub(crate) sandbox: SandboxAddress,
}

/// Inject a fault into a running sandbox.
///
/// The next matching requests, one by default, are answered as given; after that everything works again.
#[derive(Debug, Args)]
#[command(after_long_help = super::after_long_help(FAULT_NOTES))]
pub(crate) struct FaultArgs {
    /// What it affects.
    #[arg(value_name = "TARGET", required_unless_present = "clear")]
    pub(crate) target: Option<FaultTarget>,

    /// What happens instead; see below.
    #[arg(value_name = "ANSWER")]
    pub(crate) answer: Option<String>,

    /// Affect only this channel, for `subscribe` and `auth`; a trailing `*` matches any suffix.
    #[arg(long, value_name = "NAME")]
    pub(crate) channel: Option<String>,

    /// The `Retry-After` header to send with a status, verbatim.
    #[arg(long, value_name = "TEXT")]
    pub(crate) retry_after: Option<String>,

    /// How many times it applies.
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) times: NonZeroU32,

    /// Apply it until the faults are cleared.
    #[arg(long, conflicts_with = "times")]
    pub(crate) always: bool,

    /// Clear every fault, and inject none.
    #[arg(long, conflicts_with_all = ["target", "answer", "channel", "retry_after", "times", "always"])]
    pub(crate) clear: bool,

    #[command(flatten)]
    pub(crate) sandbox: SandboxAddress,
}

/// What a fault affects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FaultTarget {
    /// Any request of the API.
    Api,
    /// The authorization of a channel.
    Auth,
    /// A login.
    Login,
    /// A `pusher:ping`, which goes unanswered.
    Ping,
    /// A `pusher:subscribe`.
    Subscribe,
    /// A synchronisation of groups.
    SyncGroups,
    /// A WebSocket upgrade.
    Upgrade,
    /// A request for the socket URL.
    Wsurl,
}

/// Show the state of a running sandbox: its sessions, sockets, channels and requests.
#[derive(Debug, Args)]
#[command(after_long_help = super::after_long_help("The JSON contains the tokens of the sessions, which are valid in the sandbox only."))]
pub(crate) struct StateArgs {
    /// Print the state as one JSON line.
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) sandbox: SandboxAddress,
}

const FAULT_NOTES: &str = "\
Answers of `subscribe`:
  ignore, refuse, acknowledge-twice
Answers of `upgrade`:
  delay:TIME, drop, greeting:TEXT, html, redirect:URL, silent, status:CODE,
  switch-then-drop, switch-then-nothing, wrong-accept
Answers of `api`, `auth`, `login`, `sync-groups` and `wsurl`:
  delay:TIME, drop, hang, html:CODE, huge:BYTES, redirect:URL, status:CODE

  vms-pusher fault auth status:503 --retry-after 5 --times 3
  vms-pusher fault subscribe ignore --channel 'private-token.*'
  vms-pusher fault ping --always
  vms-pusher fault --clear";

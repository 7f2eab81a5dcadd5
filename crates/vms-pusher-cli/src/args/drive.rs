use std::num::NonZeroU32;

use clap::{Args, ValueEnum};

use super::SandboxAddress;

/// End sessions of a running sandbox: push `logout` to them, and refuse their tokens from then on.
#[derive(Debug, Args)]
#[command(after_long_help = super::after_long_help("The connections stay, as they do on a VMS: to end them is up to the client."))]
pub(crate) struct LogoutArgs {
    /// The access token id of the session; without it every session ends.
    #[arg(long, value_name = "ID")]
    pub(crate) session: Option<String>,

    /// The reason, for a person.
    #[arg(long, value_name = "TEXT")]
    pub(crate) subject: Option<String>,

    #[command(flatten)]
    pub(crate) sandbox: SandboxAddress,
}

/// Let tokens of a running sandbox expire, so that its API answers 419.
#[derive(Debug, Args)]
#[command(after_long_help = super::after_long_help("Channels that are subscribed stay so: a client notices at its next call."))]
pub(crate) struct ExpireArgs {
    /// The access token id of the session; without it every token expires.
    #[arg(long, value_name = "ID")]
    pub(crate) session: Option<String>,

    /// Make the tokens valid again, also those of sessions that were ended.
    #[arg(long)]
    pub(crate) undo: bool,

    #[command(flatten)]
    pub(crate) sandbox: SandboxAddress,
}

/// Order a fault of a running sandbox.
///
/// It waits for its occasion, strikes once, or as often as it is told to, and then all is well again.
#[derive(Debug, Args)]
#[command(after_long_help = super::after_long_help(FAULT_NOTES))]
pub(crate) struct FaultArgs {
    /// What it strikes.
    #[arg(value_name = "OCCASION", required_unless_present = "clear")]
    pub(crate) occasion: Option<Occasion>,

    /// What happens instead; see below.
    #[arg(value_name = "ANSWER")]
    pub(crate) answer: Option<String>,

    /// Only for this channel, of `subscribe` and `auth`; a `*` at its end stands for any ending.
    #[arg(long, value_name = "NAME")]
    pub(crate) channel: Option<String>,

    /// The `Retry-After` of a status, as it stands.
    #[arg(long, value_name = "TEXT")]
    pub(crate) retry_after: Option<String>,

    /// How many occasions it strikes.
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) times: NonZeroU32,

    /// Strike until the faults are called off.
    #[arg(long, conflicts_with = "times")]
    pub(crate) always: bool,

    /// Call off every fault, and order none.
    #[arg(long, conflicts_with_all = ["occasion", "answer", "channel", "retry_after", "times", "always"])]
    pub(crate) clear: bool,

    #[command(flatten)]
    pub(crate) sandbox: SandboxAddress,
}

/// What a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Occasion {
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
    /// The question for the socket URL.
    Wsurl,
}

/// Show how a running sandbox stands: its sessions, sockets, channels and requests.
#[derive(Debug, Args)]
#[command(after_long_help = super::after_long_help("With --json the tokens of the sessions are in it; they are the sandbox's own."))]
pub(crate) struct StateArgs {
    /// Print it as one JSON line.
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

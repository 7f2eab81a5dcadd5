use std::time::Duration;

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use vms_sandbox::Profile;

use crate::settings::duration;

/// Run a local VMS simulator and a client, and show what both do.
///
/// Plays a day of events on a free loopback port, in this process. Every event type occurs, the connection is cut once in
/// the middle, and the server ends the session in the evening.
#[derive(Debug, Args)]
#[command(after_long_help = super::after_long_help(NOTES))]
pub(crate) struct DemoArgs {
    /// Exit after this long, unless the day ends earlier: 20s, 1m30s, 500ms.
    #[arg(long = "for", value_name = "TIME", value_parser = duration::parse)]
    pub(crate) limit: Option<Duration>,

    /// How fast to play the day: 2 is twice as fast.
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = speed)]
    pub(crate) speed: f64,

    /// Which Pusher server to imitate.
    #[arg(long, value_name = "NAME", default_value = Profile::default().as_str(), value_parser = profile())]
    pub(crate) profile: Profile,

    /// Print JSON lines: those of `listen --json`, and what the server does.
    #[arg(long)]
    pub(crate) json: bool,
}

pub(super) fn profile() -> impl TypedValueParser<Value = Profile> {
    PossibleValuesParser::new(Profile::ALL.map(Profile::as_str)).try_map(|name| name.parse::<Profile>())
}

fn speed(text: &str) -> Result<f64, &'static str> {
    let range = 0.1..=100.0;
    text.parse().ok().filter(|speed| range.contains(speed)).ok_or("it is a number from 0.1 to 100")
}

const NOTES: &str = "\
One event per line: seconds since the start, the side, what happened, and the
most important fields. A summary is printed to stdout at the end: when the day
is over, after --for, or at Ctrl-C (exit code 130).

With --json, the client's lines are those of `listen --json` plus a `side` of
client. The server's lines have the `side` server; their `what` is pushed,
request, socket_opened, subscribed, socket_ended and so on. The last line has
the `side` summary.";

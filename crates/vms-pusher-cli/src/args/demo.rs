use std::time::Duration;

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use vms_sandbox::Profile;

use crate::settings::duration;

/// Show what there is: a VMS on the desk and a client, in this process.
///
/// A day of events is played on a free loopback port. Every event type comes up, the connection is cut once in the middle,
/// and the server ends the session in the evening.
#[derive(Debug, Args)]
#[command(after_long_help = super::after_long_help(NOTES))]
pub(crate) struct DemoArgs {
    /// End after this long, if the day is not over before: 20s, 1m30s, 500ms.
    #[arg(long = "for", value_name = "TIME", value_parser = duration::parse)]
    pub(crate) limit: Option<Duration>,

    /// How fast the day goes: 2 is twice as fast.
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = speed)]
    pub(crate) speed: f64,

    /// Whose habits the server has.
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
An event a line: seconds since the start, the side, what happened, and the
fields that matter. It ends with a summary on stdout: when the day is over,
after --for, or at Ctrl-C (exit code 130).

With --json the client's lines are those of `listen --json`, with the `side`
client. The server's have the `side` server, and `what` is pushed, request,
socket_opened, subscribed, socket_ended and so on. The last line has the `side`
summary.";

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use serde::Serialize;
use vms_pusher::{ConnectionState, VmsContinuity, VmsSocketItem};
use vms_sandbox::Activity;

use crate::{
    failure::Exit,
    output::{
        text::{Tone, counted, paint},
        wrap::wrap,
    },
};

/// Why the demonstration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// By a signal.
    Asked(Exit),
    Day,
    Limit,
}

/// What happened, counted.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pushed: u64,
    /// Of those, to nobody.
    pushed_to_nobody: u64,
    received: BTreeMap<&'static str, u64>,
    states: Vec<ConnectionState>,
    /// How long each gap was, in microseconds, by channel.
    gaps: Vec<(String, i64)>,
    dropped: u64,
    errors: u64,
    /// What the server did that this program was too slow to print and count.
    pub(super) server_missed: u64,
}

/// The summary as a JSON line.
#[derive(Serialize)]
pub(super) struct SummaryLine<'s> {
    side: &'static str,
    ended: &'static str,
    seconds: f64,
    pushed: u64,
    pushed_to_nobody: u64,
    received: u64,
    received_by_type: &'s BTreeMap<&'static str, u64>,
    states: &'s [ConnectionState],
    gaps: usize,
    dropped: u64,
    errors: u64,
    server_missed: u64,
}

impl Summary {
    pub(super) fn server(&mut self, activity: &Activity) {
        if let Activity::Pushed { sockets, .. } = activity {
            self.pushed += 1;
            self.pushed_to_nobody += u64::from(*sockets == 0);
        }
    }

    pub(super) fn client(&mut self, item: &VmsSocketItem) {
        match item {
            VmsSocketItem::AppSocket(socket) => *self.received.entry(socket.name()).or_default() += 1,
            VmsSocketItem::IntercomSocket(socket) => {
                *self.received.entry(socket.name()).or_default() += 1;
            }
            VmsSocketItem::ConnectionState { from, to } => {
                if self.states.is_empty() {
                    self.states.push(*from);
                }
                self.states.push(*to);
            }
            VmsSocketItem::Continuity(VmsContinuity::ResyncNeeded { channel, since, until, .. }) => {
                self.gaps.push((channel.to_string(), until.unix_micros() - since.unix_micros()));
            }
            VmsSocketItem::Continuity(VmsContinuity::Lagged { dropped }) => self.dropped += dropped,
            VmsSocketItem::Continuity(_) | VmsSocketItem::Info { .. } => {}
            VmsSocketItem::Error(_) => self.errors += 1,
        }
    }

    fn received(&self) -> u64 {
        self.received.values().sum()
    }

    pub(super) fn to_line(&self, ended: Ended, elapsed: Duration) -> SummaryLine<'_> {
        SummaryLine {
            side: "summary",
            ended: match ended {
                Ended::Asked(_) => "interrupted",
                Ended::Day => "day",
                Ended::Limit => "limit",
            },
            seconds: elapsed.as_secs_f64(),
            pushed: self.pushed,
            pushed_to_nobody: self.pushed_to_nobody,
            received: self.received(),
            received_by_type: &self.received,
            states: &self.states,
            gaps: self.gaps.len(),
            dropped: self.dropped,
            errors: self.errors,
            server_missed: self.server_missed,
        }
    }

    /// Within so many columns, if they are bounded.
    pub(super) fn to_text(&self, ended: Ended, elapsed: Duration, width: Option<usize>) -> String {
        let row = |text: &mut String, name, value: &str| row(text, name, value, width);
        let why = match ended {
            Ended::Asked(_) => "interrupted",
            Ended::Day => "the day is over",
            Ended::Limit => "the time is up",
        };
        let title = format!("Summary: {why}, after {:.1} s", elapsed.as_secs_f64());
        let mut text = format!("\n{}\n\n", paint(Tone::State, &title));
        let lost = match self.pushed_to_nobody {
            0 => String::new(),
            lost => format!(", {lost} of them while nobody was connected"),
        };
        row(&mut text, "pushed by the server", &format!("{}{lost}", counted(self.pushed, "event", "events")));
        let types = counted(self.received.len().try_into().unwrap_or(u64::MAX), "type", "types");
        row(&mut text, "received", &format!("{} of {types}", counted(self.received(), "event", "events")));
        self.types(&mut text);
        let states: Vec<_> = self.states.iter().map(ConnectionState::to_string).collect();
        row(&mut text, "connection", &states.join(" → "));
        let length = |(channel, micros): &(String, i64)| {
            let (seconds, tenths) = (micros.max(&0) / 1_000_000, micros.max(&0) % 1_000_000 / 100_000);
            format!("{channel} channel {seconds}.{tenths} s")
        };
        let gaps: Vec<_> = self.gaps.iter().map(length).collect();
        row(&mut text, "gaps announced", &if gaps.is_empty() { "none".to_owned() } else { gaps.join(", ") });
        row(&mut text, "dropped", &self.dropped.to_string());
        row(&mut text, "errors", &self.errors.to_string());
        if self.server_missed > 0 {
            row(&mut text, "not shown", &format!("{} of the server's", counted(self.server_missed, "line", "lines")));
        }
        text.truncate(text.trim_end().len());
        text
    }

    fn types(&self, text: &mut String) {
        let types: Vec<_> = self.received.iter().collect();
        for three in types.chunks(3) {
            let cells = three.iter().map(|(name, count)| format!("{count:>3} {name:<22}"));
            let _ = writeln!(text, "  {}", cells.collect::<String>().trim_end());
        }
    }
}

fn row(text: &mut String, name: &str, value: &str, width: Option<usize>) {
    let begin = 2 + NAME_WIDTH;
    let room = width.map_or(usize::MAX, |width| width.saturating_sub(begin));
    let value = wrap(value, room, room).join(&format!("\n{:begin$}", ""));
    let _ = writeln!(text, "  {name:<NAME_WIDTH$}{value}");
}

const NAME_WIDTH: usize = 22;

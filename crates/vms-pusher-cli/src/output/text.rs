//! Lines for a person: time, perhaps a side, a name, and the fields that matter, in columns.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use vms_pusher::{VmsContinuity, VmsResyncScope, VmsServerClock, VmsSocketItem, VmsTime};

use super::{describe, escape, times::clock, wrap::wrap};

/// What kind of news a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Error,
    Event,
    Gap,
    Quiet,
    Server,
    State,
}

/// Colours a text; whether the colours get to the reader is for the stream to say.
pub(crate) fn paint(tone: Tone, text: &str) -> String {
    let style = match tone {
        Tone::Error => AnsiColor::Red.on_default().bold(),
        Tone::Event => AnsiColor::Green.on_default(),
        Tone::Gap => AnsiColor::Yellow.on_default().bold(),
        Tone::Quiet => Style::new().dimmed(),
        Tone::Server => AnsiColor::Blue.on_default(),
        Tone::State => AnsiColor::Cyan.on_default(),
    };
    format!("{style}{text}{style:#}")
}

/// A line without its time: what it is called, and what there is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) tone: Tone,
    pub(crate) name: &'static str,
    /// Safe to print.
    pub(crate) detail: String,
}

impl Line {
    pub(crate) fn new(tone: Tone, name: &'static str, detail: &str) -> Self {
        Self { tone, name, detail: escape::line(detail).into_owned() }
    }

    /// Puts the line into columns, within a width, if there is one.
    pub(crate) fn render_within(&self, width: Option<usize>, time: &str, side: &str) -> String {
        let Some(width) = width else { return self.render(time, Some(side)) };
        let indent = time.chars().count() + GAP;
        let begin = indent + side.chars().count().max(SIDE_WIDTH) + GAP + self.name.len().max(NAME_WIDTH) + GAP;
        let mut lines = wrap(&self.detail, width.saturating_sub(begin), width.saturating_sub(indent)).into_iter();
        let first = Self { detail: lines.next().unwrap_or_default(), ..self.clone() };
        let mut text = first.render(time, Some(side));
        for line in lines {
            let _ = write!(text, "\n{:indent$}{line}", "");
        }
        text
    }

    /// Puts the line into columns.
    pub(crate) fn render(&self, time: &str, side: Option<&str>) -> String {
        let mut line = paint(Tone::Quiet, time);
        if let Some(side) = side {
            let _ = write!(line, "  {side:<SIDE_WIDTH$}");
        }
        let name = format!("{:<NAME_WIDTH$}", self.name);
        let _ = write!(line, "  {}  {}", paint(self.tone, &name), self.detail);
        line.truncate(line.trim_end().len());
        line
    }
}

/// The line of an item.
pub(crate) fn item(item: &VmsSocketItem) -> Line {
    match item {
        VmsSocketItem::AppSocket(socket) => {
            Line { tone: Tone::Event, name: socket.name(), detail: describe::app(socket) }
        }
        VmsSocketItem::IntercomSocket(socket) => {
            Line { tone: Tone::Event, name: socket.name(), detail: describe::intercom(socket) }
        }
        VmsSocketItem::ConnectionState { from, to } => Line::new(Tone::State, "state", &format!("{from} → {to}")),
        VmsSocketItem::Continuity(continuity) => self::continuity(continuity),
        VmsSocketItem::Error(error) => Line::new(Tone::Error, "error", &error.to_string()),
        VmsSocketItem::Info { message } => Line::new(Tone::Quiet, "info", message),
    }
}

fn continuity(continuity: &VmsContinuity) -> Line {
    match continuity {
        VmsContinuity::Fresh { channel } => {
            Line::new(Tone::State, "fresh", &format!("{channel} channel subscribed: its events arrive from here on"))
        }
        VmsContinuity::Interrupted { channel, since, clock: by, cause, .. } => {
            let (since, by) = (clock(*since), whose(by.as_ref()));
            let detail = format!("{channel} channel: {cause}; events may be missed since {since} {by}");
            Line::new(Tone::Gap, "interrupted", &detail)
        }
        VmsContinuity::Lagged { dropped } => {
            let what = counted(*dropped, "event was", "events were");
            let detail = format!("{what} dropped here, because events arrived faster than they were read");
            Line::new(Tone::Gap, "lagged", &detail)
        }
        VmsContinuity::ResyncNeeded { channel, scopes, since, until, clock: by } => {
            let detail = format!(
                "{channel} channel is back: events from {} to {} ({}, {}) may be missed{}",
                clock(*since),
                clock(*until),
                length(*since, *until),
                whose(by.as_ref()),
                self::scopes(scopes),
            );
            Line::new(Tone::Gap, "resync_needed", &detail)
        }
        VmsContinuity::Unreadable { lost, reason } => {
            let detail = if *lost == 1 {
                format!("a message could not be read and may have been an event: {reason}")
            } else {
                format!("{lost} messages could not be read and may have been events; the last one: {reason}")
            };
            Line::new(Tone::Gap, "unreadable", &detail)
        }
        VmsContinuity::Suspended { channel, since } => {
            let what = channel.map_or_else(|| "no connection".to_owned(), |channel| format!("no {channel} channel"));
            let detail = format!("{what} since {}; attempts continue", clock(*since));
            Line::new(Tone::Gap, "suspended", &detail)
        }
        VmsContinuity::Unavailable { channel, is_final, session_is_invalid } => {
            let why = if *session_is_invalid { ", because the session is not valid" } else { "" };
            let (how_long, next) =
                if *is_final { ("any more", "") } else { ("for now", "; the error says when it is retried") };
            let detail = format!("{channel} channel: no events arrive {how_long}{why}{next}");
            Line::new(Tone::Error, "unavailable", &detail)
        }
    }
}

/// Counts in words: `1 event`, `2 events`.
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Whose clock the times are by.
fn whose(server: Option<&VmsServerClock>) -> String {
    server.map_or_else(
        || "by this device's clock".to_owned(),
        |clock| {
            format!("by the server's clock, ±{}.{} s", clock.uncertainty_ms / 1_000, clock.uncertainty_ms % 1_000 / 100)
        },
    )
}

fn scopes(scopes: &[VmsResyncScope]) -> String {
    if scopes.is_empty() {
        return String::new();
    }
    if VmsResyncScope::ALL.iter().all(|scope| scopes.contains(scope)) {
        return "; reload everything".to_owned();
    }
    let names = scopes.iter().map(|scope| match serde_json::to_value(scope) {
        Ok(serde_json::Value::String(name)) => name.replace('_', " "),
        Ok(_) | Err(_) => format!("{scope:?}"),
    });
    format!("; reload {}", names.collect::<Vec<_>>().join(", "))
}

fn length(since: VmsTime, until: VmsTime) -> String {
    let micros = until.unix_micros().saturating_sub(since.unix_micros()).max(0);
    format!("{}.{} s", micros / 1_000_000, micros % 1_000_000 / 100_000)
}

/// Columns between columns.
const GAP: usize = 2;
const SIDE_WIDTH: usize = 6;
/// The longest name is `analytic_event_created`, as long as `intercom_key_confirmed`.
const NAME_WIDTH: usize = 22;

#[cfg(test)]
mod tests {
    use vms_pusher::VmsChannel;

    use super::*;

    fn detail(continuity: VmsContinuity) -> String {
        item(&VmsSocketItem::Continuity(continuity)).detail
    }

    #[test]
    fn one_is_singular_and_more_are_plural() {
        let lagged = |dropped| detail(VmsContinuity::Lagged { dropped });
        assert!(lagged(1).starts_with("1 event was dropped here"), "{}", lagged(1));
        assert!(lagged(2).starts_with("2 events were dropped here"), "{}", lagged(2));
        let unreadable = |lost| detail(VmsContinuity::Unreadable { lost, reason: "the frame is binary".to_owned() });
        let one = "a message could not be read and may have been an event: the frame is binary";
        let more = "2 messages could not be read and may have been events; the last one: the frame is binary";
        assert_eq!((unreadable(1).as_str(), unreadable(2).as_str()), (one, more));
        assert_eq!((counted(0, "a", "b"), counted(1, "a", "b")), ("0 b".to_owned(), "1 a".to_owned()));
    }

    #[test]
    fn a_channel_that_is_not_subscribed_is_told_without_guessing_when_it_comes() {
        let unavailable = |is_final, session_is_invalid| {
            detail(VmsContinuity::Unavailable { channel: VmsChannel::User, is_final, session_is_invalid })
        };
        let for_now = "user channel: no events arrive for now; the error says when it is retried";
        assert_eq!(unavailable(false, false), for_now);
        assert_eq!(unavailable(true, false), "user channel: no events arrive any more");
        let invalid = "user channel: no events arrive any more, because the session is not valid";
        assert_eq!(unavailable(true, true), invalid);
    }
}

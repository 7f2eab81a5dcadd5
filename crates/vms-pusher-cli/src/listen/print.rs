use tokio::time::Instant;
use vms_pusher::{PusherError, VmsContinuity, VmsRawPush, VmsSocketItem};

use super::{
    advice::{self, Servers},
    repeats::Repeats,
};
use crate::{
    clock,
    failure::{Exit, Failure},
    output::{
        Output,
        json::ItemLine,
        text::{self, Line, Tone},
        times,
    },
    settings::{Filter, ListenSettings},
};

/// Prints items as they were asked for.
pub(super) struct Printer<'a> {
    output: &'a mut Output,
    /// Lines of JSON that wait to be written together.
    lines: Vec<u8>,
    json: bool,
    filter: &'a Filter,
    repeats: Repeats,
    pub(super) servers: Servers,
}

impl<'a> Printer<'a> {
    pub(super) fn new(output: &'a mut Output, settings: &'a ListenSettings) -> Self {
        let servers = Servers { api: settings.base_url.clone(), socket: settings.base_url.clone() };
        Self {
            output,
            lines: Vec::new(),
            json: settings.json,
            filter: &settings.filter,
            repeats: Repeats::default(),
            servers,
        }
    }

    pub(super) fn print(&mut self, item: &VmsSocketItem) -> Result<(), Failure> {
        self.push(item, None)?;
        self.flush()
    }

    /// Writes what waits to be written.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        if self.lines.is_empty() {
            return Ok(());
        }
        self.output.raw(&self.lines)?;
        self.lines.clear();
        self.lines.shrink_to(2 * WRITTEN_TOGETHER);
        Ok(())
    }

    /// Prints, perhaps not before the next flush: of many items together, each costs a fraction of a write.
    pub(super) fn push(&mut self, item: &VmsSocketItem, raw: Option<&VmsRawPush>) -> Result<(), Failure> {
        if !self.filter.lets_through(item) {
            return Ok(());
        }
        let time = clock::now();
        if self.json {
            let raw = raw.map(|raw| raw.data.as_str());
            let pushed = ItemLine { time, side: None, item, raw }.push_to(&mut self.lines);
            pushed.map_err(|error| Failure::new(Exit::Other, error))?;
            return if self.lines.len() < WRITTEN_TOGETHER { Ok(()) } else { self.flush() };
        }
        if !self.repeats.follow(item) {
            return Ok(());
        }
        let mut line = text::item(item);
        if let VmsSocketItem::Error(error) = item {
            let Some(explained) = self.explain(error) else { return Ok(()) };
            line = Line::new(line.tone, line.name, &explained);
        }
        let line = line.render(&times::date_and_clock(time), None);
        if is_data(item) {
            self.output.data(&line)
        } else {
            self.output.note(&line);
            Ok(())
        }
    }

    /// Returns an error as a person reads it; none when it says what was said a moment ago.
    fn explain(&mut self, error: &PusherError) -> Option<String> {
        let now = Instant::now();
        let left_out = self.repeats.error(error, now)?;
        let mut text = self.servers.explain(error);
        if left_out > 0 {
            text.push_str(&format!(" (and {left_out} like it since the last one)"));
        }
        let tip = advice::tip(error);
        if self.repeats.tip(tip, now) {
            text.push_str(&format!("; tip: {tip}"));
        }
        Some(text)
    }

    /// Tells what a developer may want to know.
    pub(super) fn info(&mut self, message: String) -> Result<(), Failure> {
        self.print(&VmsSocketItem::Info { message })
    }

    /// Tells a person something that no program needs.
    pub(super) fn hint(&mut self, name: &'static str, detail: &str) {
        if !self.json {
            let line = Line::new(Tone::Quiet, name, detail);
            self.output.note(&line.render(&times::date_and_clock(clock::now()), None));
        }
    }
}

/// Events, and the holes in them.
const fn is_data(item: &VmsSocketItem) -> bool {
    match item {
        VmsSocketItem::AppSocket(_) | VmsSocketItem::IntercomSocket(_) => true,
        VmsSocketItem::Continuity(continuity) => match continuity {
            VmsContinuity::Interrupted { .. }
            | VmsContinuity::Lagged { .. }
            | VmsContinuity::ResyncNeeded { .. }
            | VmsContinuity::Unreadable { .. } => true,
            VmsContinuity::Fresh { .. } | VmsContinuity::Suspended { .. } | VmsContinuity::Unavailable { .. } => false,
        },
        VmsSocketItem::ConnectionState { .. } | VmsSocketItem::Error(_) | VmsSocketItem::Info { .. } => false,
    }
}

/// Bytes that are written though more wait to be printed: what a pipe holds.
const WRITTEN_TOGETHER: usize = 64 * 1024;

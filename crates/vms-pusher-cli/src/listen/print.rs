use std::{cell::RefCell, rc::Rc};

use tokio::time::Instant;
use vms_pusher::{PusherError, VmsContinuity, VmsSocketItem};

use super::{
    advice::{self, Servers},
    lines::Lines,
    repeats::Repeats,
};
use crate::{
    clock,
    failure::Failure,
    output::{
        json::{ItemLine, Origin},
        text::{self, Line, Tone},
        times,
    },
    settings::Account,
};

/// Prints the items of an account as they were asked for.
pub(super) struct Printer<'a> {
    lines: Rc<RefCell<Lines<'a>>>,
    /// What its lines are marked with.
    account: Option<&'a str>,
    /// The same as a column.
    label: Option<String>,
    repeats: Repeats,
    last_error: Option<PusherError>,
    pub(super) servers: Servers,
}

impl<'a> Printer<'a> {
    /// The names of accounts are up to `width` characters long.
    pub(super) fn new(lines: Rc<RefCell<Lines<'a>>>, account: &'a Account, width: usize) -> Self {
        let servers = Servers { api: account.base_url.clone(), socket: account.base_url.clone() };
        let account = account.name.as_deref();
        let label = account.map(|name| format!("{name:<width$}"));
        Self { lines, account, label, repeats: Repeats::default(), last_error: None, servers }
    }

    pub(super) fn print(&mut self, item: &VmsSocketItem) -> Result<(), Failure> {
        self.push(item, Origin::default())?;
        self.flush()
    }

    /// Writes what waits to be written.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        self.lines.borrow_mut().flush()
    }

    /// Prints, perhaps not before the next flush.
    pub(super) fn push(&mut self, item: &VmsSocketItem, origin: Origin<'_>) -> Result<(), Failure> {
        if let VmsSocketItem::Error(error) = item {
            self.last_error = Some(error.clone());
        }
        let mut lines = self.lines.borrow_mut();
        if !lines.want(item) {
            return Ok(());
        }
        let time = clock::now();
        if lines.are_json() {
            return lines.push(&ItemLine { time, account: self.account, side: None, origin, item });
        }
        if !self.repeats.follow(item) {
            return Ok(());
        }
        let mut line = text::item(item);
        if let VmsSocketItem::Error(error) = item {
            let Some(explained) = explain(&mut self.repeats, &self.servers, error) else { return Ok(()) };
            line = Line::new(line.tone, line.name, &explained);
        }
        let line = line.render(&times::date_and_clock(time), self.label.as_deref());
        if is_data(item) {
            lines.data(item, &line)
        } else {
            lines.note(&line);
            Ok(())
        }
    }

    /// Returns the last error that was to be printed.
    pub(super) const fn last_error(&self) -> Option<&PusherError> {
        self.last_error.as_ref()
    }

    /// Tells what a developer may want to know.
    pub(super) fn info(&mut self, message: String) -> Result<(), Failure> {
        self.print(&VmsSocketItem::Info { message })
    }

    /// Tells a person something that no program needs.
    pub(super) fn hint(&mut self, name: &'static str, detail: &str) {
        let mut lines = self.lines.borrow_mut();
        if !lines.are_json() {
            let line = Line::new(Tone::Quiet, name, detail);
            lines.note(&line.render(&times::date_and_clock(clock::now()), self.label.as_deref()));
        }
    }
}

/// Returns an error as a person reads it; none when it says what was said a moment ago.
fn explain(repeats: &mut Repeats, servers: &Servers, error: &PusherError) -> Option<String> {
    let now = Instant::now();
    let left_out = repeats.error(error, now)?;
    let mut text = servers.explain(error);
    if left_out > 0 {
        text.push_str(&format!(" (and {left_out} like it since the last one)"));
    }
    let tip = advice::tip(error);
    if repeats.tip(tip, now) {
        text.push_str(&format!("; tip: {tip}"));
    }
    Some(text)
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

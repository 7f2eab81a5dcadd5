//! `listen`: the events of a VMS, as they come.

mod advice;
mod session;
mod verdict;
mod wait;

use std::time::Duration;

use vms_pusher::{ConnectionState, VmsContinuity, VmsPusherApi, VmsSocketItem};

pub(crate) use self::session::client_info;
use self::{advice::Servers, verdict::Verdict};
use crate::{
    clock,
    failure::{Exit, Failure},
    output::{
        Output,
        json::{self, ItemLine},
        text::{self, Line, Tone},
    },
    settings::{Filter, ListenSettings},
    stop::Stop,
};

pub(crate) async fn run(settings: ListenSettings, output: &mut Output, stop: &Stop) -> Result<Exit, Failure> {
    let servers = Servers { api: settings.base_url.clone(), socket: settings.base_url.clone() };
    let mut printer = Printer { output, json: settings.json, filter: &settings.filter, servers };
    let config = tokio::select! {
        exit = stop.asked() => return Ok(exit),
        config = session::open(&settings, &mut printer) => config?,
    };
    let mut verdict = Verdict::new(&config.socket_url, &config.base_url);
    printer.servers.socket.clone_from(&config.socket_url);
    let who = format!("{} as user {}, session {}", config.socket_url, config.user_id, config.access_token_id);
    let api = VmsPusherApi::new(config).map_err(|error| session::unusable(&settings, &error))?;
    printer.hint("listening", &who);
    let mut events = api.events();
    let closing = api.clone();
    let closing = stop.when_asked(move || closing.disconnect());
    api.connect();
    let ended = loop {
        let item = tokio::select! {
            biased;
            exit = stop.asked() => break Ok(exit),
            item = events.next() => item,
        };
        let Some(item) = item else { break Ok(Exit::Done) };
        printer.print(&item)?;
        if let Some(exit) = stop.is_asked() {
            break Ok(exit);
        }
        if let Some(failure) = verdict.on(&item) {
            break Err(failure);
        }
    };
    if api.state() != ConnectionState::Disconnected {
        api.disconnect();
    }
    drop((api, closing));
    // The socket is closed in good order, if the server takes part in it.
    while let Ok(Some(item)) = tokio::time::timeout(FAREWELL, events.next()).await {
        printer.print(&item)?;
    }
    ended
}

/// Prints items as they were asked for.
struct Printer<'a> {
    output: &'a mut Output,
    json: bool,
    filter: &'a Filter,
    servers: Servers,
}

impl Printer<'_> {
    fn print(&mut self, item: &VmsSocketItem) -> Result<(), Failure> {
        if !self.filter.lets_through(item) {
            return Ok(());
        }
        let time = clock::now();
        if self.json {
            let line = json::line(&ItemLine { time, side: None, item });
            return self.output.data(&line.map_err(|error| Failure::new(Exit::Other, error))?);
        }
        let mut line = text::item(item);
        if let VmsSocketItem::Error(error) = item {
            line = Line::new(line.tone, line.name, &self.servers.explain(error));
        }
        let line = line.render(&text::date_and_clock(time), None);
        if is_data(item) {
            self.output.data(&line)
        } else {
            self.output.note(&line);
            Ok(())
        }
    }

    /// Tells a person something that no program needs.
    fn hint(&mut self, name: &'static str, detail: &str) {
        if !self.json {
            let line = Line::new(Tone::Quiet, name, detail);
            self.output.note(&line.render(&text::date_and_clock(clock::now()), None));
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

const FAREWELL: Duration = Duration::from_millis(500);

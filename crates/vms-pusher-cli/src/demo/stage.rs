use serde::Serialize;
use tokio::time::Instant;
use vms_pusher::VmsSocketItem;
use vms_sandbox::{Activity, Sandbox};

use super::{
    order::{News, is_of},
    reload::Reload,
    summary::{Ended, Summary},
};
use crate::{
    clock,
    failure::{Exit, Failure},
    output::{
        Output, escape,
        json::{self, ItemLine, Origin},
        text::{self, Line, Tone},
    },
};

/// Prints what happens on both sides, and keeps count.
pub(super) struct Stage<'o> {
    output: &'o mut Output,
    json: bool,
    start: Instant,
    /// The columns of the terminal, if it is one.
    width: Option<usize>,
    reload: Reload,
    summary: Summary,
}

/// A line of the server's in JSON.
#[derive(Serialize)]
struct ServerLine<'a> {
    time: vms_pusher::VmsTime,
    side: &'static str,
    #[serde(flatten)]
    activity: &'a Activity,
}

impl<'o> Stage<'o> {
    pub(super) fn new(output: &'o mut Output, json: bool) -> Self {
        let (width, reload, summary) = (Output::width(), Reload::default(), Summary::default());
        Self { output, json, start: Instant::now(), width, reload, summary }
    }

    pub(super) fn raise_curtain(&mut self, sandbox: &Sandbox) -> Result<(), Failure> {
        if self.json {
            return Ok(());
        }
        let place = format!("{} as {}", sandbox.base_url(), sandbox.profile());
        self.output.data(
            "A VMS and a client, on this machine only. Each line has the seconds, the side,\n\
             what happened and details: `both` is a push and what the client made of it.\n\
             The connection is cut once, to show what happens then.\n",
        )?;
        self.print(SERVER, &Line::new(Tone::Server, "listening", &place))
    }

    pub(super) fn tell(&mut self, news: Vec<News>) -> Result<(), Failure> {
        let mut all = news.into_iter().peekable();
        while let Some(news) = all.next() {
            match news {
                News::Client(item) => self.client(&item)?,
                News::Server(activity) => {
                    let is_its = |news: &News| matches!(news, News::Client(item) if is_of(&activity, item));
                    match all.next_if(is_its) {
                        Some(News::Client(item)) if !self.json => self.both(&activity, &item)?,
                        Some(News::Client(item)) => {
                            self.server(&activity)?;
                            self.client(&item)?;
                        }
                        _ => self.server(&activity)?,
                    }
                }
                News::ServerMissed(missed) => self.summary.server_missed += missed,
            }
        }
        Ok(())
    }

    fn server(&mut self, activity: &Activity) -> Result<(), Failure> {
        self.summary.server(activity);
        if self.json {
            return json(self.output, &ServerLine { time: clock::now(), side: SERVER, activity });
        }
        self.print(SERVER, &server_line(activity))
    }

    /// A push, and what the client made of it.
    fn both(&mut self, activity: &Activity, item: &VmsSocketItem) -> Result<(), Failure> {
        self.summary.server(activity);
        self.summary.client(item);
        let line = text::item(item);
        let Activity::Pushed { event, channel, .. } = activity else { return self.print(CLIENT, &line) };
        let kind = if channel.starts_with("private-token.") { "token" } else { "user" };
        let colon = if line.detail.is_empty() { "" } else { ": " };
        let detail = format!("{} on {kind}{colon}{}", escape::line(event), line.detail);
        self.print(BOTH, &Line { detail, ..line })
    }

    fn client(&mut self, item: &VmsSocketItem) -> Result<(), Failure> {
        self.summary.client(item);
        if self.json {
            let mut line = Vec::new();
            let pushed =
                ItemLine { time: clock::now(), account: None, side: Some(CLIENT), origin: Origin::default(), item }
                    .push_to(&mut line);
            pushed.map_err(|error| Failure::new(Exit::Other, error))?;
            return self.output.raw(&line);
        }
        let line = text::item(&self.reload.once(item));
        self.print(CLIENT, &line)
    }

    /// Prints the summary.
    pub(super) fn drop_curtain(&mut self, ended: Ended) -> Result<(), Failure> {
        let elapsed = self.start.elapsed();
        if self.json {
            return json(self.output, &self.summary.to_line(ended, elapsed));
        }
        self.output.data(&self.summary.to_text(ended, elapsed, self.width))
    }

    fn print(&mut self, side: &str, line: &Line) -> Result<(), Failure> {
        let seconds = format!("{:>7.3}", self.start.elapsed().as_secs_f64());
        self.output.data(&line.render_within(self.width, &seconds, side))
    }
}

fn json(output: &mut Output, line: &impl Serialize) -> Result<(), Failure> {
    let line = json::line(line).map_err(|error| Failure::new(Exit::Other, error))?;
    output.data(&line)
}

fn server_line(activity: &Activity) -> Line {
    let server = |name, detail: String| Line::new(Tone::Server, name, &detail);
    match activity {
        Activity::ClientEvent { .. } => server("client_event", activity.to_string()),
        Activity::MemberAdded { .. } => server("member_added", activity.to_string()),
        Activity::MemberRemoved { .. } => server("member_removed", activity.to_string()),
        Activity::Pushed { event, channel, sockets: 0 } => {
            let detail = format!("{event} on {}, while nobody is connected: it is lost", short(channel));
            Line::new(Tone::Gap, "pushed", &detail)
        }
        Activity::Pushed { event, channel, .. } => server("pushed", format!("{event} on {}", short(channel))),
        Activity::Request { method, path, status } => {
            server("request", format!("{method} {path} answered with {status}"))
        }
        Activity::SignInRefused { .. } => server("sign_in_refused", activity.to_string()),
        Activity::SignedIn { .. } => server("signed_in", activity.to_string()),
        Activity::SocketEnded { socket, ending } => {
            Line::new(Tone::Gap, "socket_ended", &format!("socket {socket}: {ending}"))
        }
        Activity::SocketOpened { socket, id } => server("socket_opened", format!("socket {socket} as {id}")),
        Activity::SocketStalled { socket } => server("socket_stalled", format!("socket {socket}")),
        Activity::Subscribed { socket, channel } => {
            server("subscribed", format!("socket {socket} to {}", short(channel)))
        }
        Activity::SubscriptionRefused { socket, channel } => {
            server("subscription_refused", format!("socket {socket} to {}", short(channel)))
        }
        Activity::Unsubscribed { socket, channel } => {
            server("unsubscribed", format!("socket {socket} from {}", short(channel)))
        }
        Activity::UpgradeRefused { status } => server("upgrade_refused", format!("answered with {status}")),
    }
}

/// A session's channel ends in forty digits; six tell it from the user's.
fn short(channel: &str) -> String {
    match channel.char_indices().nth("private-token.".len() + 6) {
        Some((end, _)) => format!("{}…", channel.get(..end).unwrap_or(channel)),
        None => channel.to_owned(),
    }
}

const SERVER: &str = "server";
const CLIENT: &str = "client";
const BOTH: &str = "both";

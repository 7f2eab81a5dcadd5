//! Which of the lines of both sides comes first, when both have something to tell at the same time: causes before effects.

use std::collections::VecDeque;

use tokio::sync::broadcast::{Receiver, error::TryRecvError};
use vms_pusher::{ConnectionState, VmsContinuity, VmsEvents, VmsSocketItem};
use vms_sandbox::{Activity, Ending};

use crate::event_name;

/// Something to print.
#[derive(Debug, PartialEq)]
pub(super) enum News {
    Client(VmsSocketItem),
    Server(Activity),
    /// The server did more than could be kept.
    ServerMissed(u64),
}

/// The server's news that no client's news have needed yet.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    server: VecDeque<News>,
    /// Attempts the client has told of whose socket has not been told of yet.
    attempts: usize,
}

/// Where an item belongs among what the server does.
enum Place {
    Anywhere,
    /// Behind the push that it was made from.
    BehindItsPush,
    Before(fn(&Activity) -> bool),
    Behind(fn(&Activity) -> bool),
}

impl Gathered {
    pub(super) fn add(&mut self, news: News) {
        self.server.push_back(news);
    }

    /// Takes what has already happened on the server.
    pub(super) fn drain(&mut self, activity: &mut Receiver<Activity>) {
        loop {
            match activity.try_recv() {
                Ok(activity) => self.add(News::Server(activity)),
                Err(TryRecvError::Lagged(missed)) => self.add(News::ServerMissed(missed)),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    /// Returns everything that happened on both sides until now, and at first `item`, in order. What the server did while
    /// the client was asked may have causes that are not known yet; it is kept for the next time.
    pub(super) async fn until_now(
        &mut self,
        item: Option<VmsSocketItem>,
        events: &mut VmsEvents,
        activity: &mut Receiver<Activity>,
    ) -> Vec<News> {
        self.drain(activity);
        let certain = self.server.len();
        let mut items: Vec<_> = item.into_iter().collect();
        while let Some(item) = at_once(events).await {
            items.push(item);
        }
        self.drain(activity);
        self.merge(certain, items)
    }

    /// Puts the items among the server's news, of which the first ones are `certain` to have all their causes here.
    fn merge(&mut self, certain: usize, items: Vec<VmsSocketItem>) -> Vec<News> {
        let kept = self.server.len() - certain;
        let mut news = Vec::new();
        for item in items {
            let position = |wanted: fn(&Activity) -> bool| {
                self.server.iter().position(|news| matches!(news, News::Server(activity) if wanted(activity)))
            };
            if matches!(item, VmsSocketItem::ConnectionState { to: ConnectionState::Connecting, .. }) {
                self.attempts += 1;
            }
            let count = match place(&item) {
                Place::Anywhere => 0,
                Place::Before(effect) => position(effect).unwrap_or_default(),
                Place::Behind(cause) => position(cause).map_or(0, |place| place + 1),
                Place::BehindItsPush => {
                    let is_it = |news: &News| matches!(news, News::Server(activity) if is_of(activity, &item));
                    let push = self.server.iter().position(is_it).or_else(|| position(is_delivered));
                    push.map_or(0, |place| place + 1)
                }
            };
            self.take_first(count, &mut news);
            news.push(News::Client(item));
        }
        let certain = self.server.len().saturating_sub(kept);
        let explained = self.explained();
        self.take_first(certain.min(explained), &mut news);
        news
    }

    /// Returns how many of the server's news may be told: a socket is not open before the client has said it connects, and
    /// a push is told with what it becomes, unless the socket has ended meanwhile.
    fn explained(&self) -> usize {
        let sockets = self.server.iter().enumerate().filter(|(_, news)| is_opening(news));
        let opening = sockets.map(|(place, _)| place).nth(self.attempts).unwrap_or(self.server.len());
        let has = |wanted: fn(&Activity) -> bool| move |news: &News| matches!(news, News::Server(activity) if wanted(activity));
        let ended = self.server.iter().rposition(has(has_ended)).unwrap_or_default();
        let push = self.server.iter().skip(ended).position(has(is_delivered)).map(|place| ended + place);
        opening.min(push.unwrap_or(self.server.len()))
    }

    fn take_first(&mut self, count: usize, news: &mut Vec<News>) {
        let first = self.server.drain(..count);
        for told in first {
            self.attempts = self.attempts.saturating_sub(usize::from(is_opening(&told)));
            news.push(told);
        }
    }

    /// Takes the server's news as they are.
    pub(super) fn take(&mut self) -> Vec<News> {
        self.server.drain(..).collect()
    }

    /// Returns whether there is something that may be told without waiting for the client.
    pub(super) fn is_ready(&self) -> bool {
        self.explained() > 0
    }
}

const fn is_opening(news: &News) -> bool {
    matches!(news, News::Server(Activity::SocketOpened { .. }))
}

async fn at_once(events: &mut VmsEvents) -> Option<VmsSocketItem> {
    tokio::select! {
        biased;
        item = events.next() => item,
        () = std::future::ready(()) => None,
    }
}

fn place(item: &VmsSocketItem) -> Place {
    match item {
        VmsSocketItem::AppSocket(_) | VmsSocketItem::IntercomSocket(_) => Place::BehindItsPush,
        VmsSocketItem::ConnectionState { to, .. } => match to {
            ConnectionState::Connecting => Place::Before(|activity| {
                matches!(activity, Activity::SocketOpened { .. } | Activity::UpgradeRefused { .. })
            }),
            ConnectionState::Connected => Place::Behind(|activity| matches!(activity, Activity::SocketOpened { .. })),
            ConnectionState::Disconnecting | ConnectionState::Disconnected => Place::Before(|activity| {
                matches!(activity, Activity::SocketEnded { ending: Ending::ClosedByClient { .. }, .. })
            }),
            ConnectionState::Reconnecting => Place::Behind(has_ended),
        },
        VmsSocketItem::Continuity(VmsContinuity::Fresh { .. } | VmsContinuity::ResyncNeeded { .. }) => {
            Place::Behind(|activity| matches!(activity, Activity::Subscribed { .. }))
        }
        VmsSocketItem::Continuity(VmsContinuity::Interrupted { .. }) | VmsSocketItem::Error(_) => {
            Place::Behind(has_ended)
        }
        VmsSocketItem::Continuity(_) | VmsSocketItem::Info { .. } => Place::Anywhere,
    }
}

/// Whether a push has gone to somebody.
const fn is_delivered(activity: &Activity) -> bool {
    matches!(activity, Activity::Pushed { sockets: 1.., .. })
}

/// Whether the item is what a push became.
pub(super) fn is_of(activity: &Activity, item: &VmsSocketItem) -> bool {
    let Activity::Pushed { event, sockets: 1.., .. } = activity else { return false };
    match event_name::of_unread(item) {
        Some(push_type) => push_type == event,
        None => event_name::of_item(item).is_some_and(|name| event_name::meant_by(event).contains(&name)),
    }
}

const fn has_ended(activity: &Activity) -> bool {
    matches!(activity, Activity::SocketEnded { .. } | Activity::UpgradeRefused { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(from: ConnectionState, to: ConnectionState) -> VmsSocketItem {
        VmsSocketItem::ConnectionState { from, to }
    }

    fn opened() -> Activity {
        Activity::SocketOpened { socket: 1, id: "1.1".to_owned() }
    }

    fn subscribed() -> Activity {
        Activity::Subscribed { socket: 1, channel: "private-user.42".to_owned() }
    }

    #[test]
    fn a_state_comes_before_what_it_brings_about_and_behind_what_brought_it_about() {
        let mut gathered = Gathered::default();
        let request = Activity::Request { method: "POST".to_owned(), path: "/auth".to_owned(), status: 200 };
        for activity in [opened(), request.clone(), subscribed()] {
            gathered.add(News::Server(activity));
        }
        let connecting = state(ConnectionState::Disconnected, ConnectionState::Connecting);
        let connected = state(ConnectionState::Connecting, ConnectionState::Connected);
        let news = gathered.merge(3, vec![connecting.clone(), connected.clone()]);
        let expected = [
            News::Client(connecting),
            News::Server(opened()),
            News::Client(connected),
            News::Server(request),
            News::Server(subscribed()),
        ];
        assert_eq!(news, expected);
    }

    #[test]
    fn what_is_not_certain_is_kept_unless_an_item_needs_it() {
        let mut gathered = Gathered::default();
        gathered.add(News::Server(opened()));
        gathered.add(News::Server(subscribed()));
        assert_eq!(gathered.merge(0, Vec::new()), []);
        let connected = state(ConnectionState::Connecting, ConnectionState::Connected);
        let news = gathered.merge(0, vec![connected.clone()]);
        assert_eq!(news, [News::Server(opened()), News::Client(connected)]);
        assert!(gathered.is_ready());
        assert_eq!(gathered.merge(1, Vec::new()), [News::Server(subscribed())]);
    }

    #[test]
    fn a_socket_is_not_told_of_before_the_client_says_that_it_connects() {
        let mut gathered = Gathered::default();
        let request = Activity::Request { method: "GET".to_owned(), path: "/wsurl".to_owned(), status: 200 };
        for activity in [request.clone(), opened(), subscribed()] {
            gathered.add(News::Server(activity));
        }
        assert_eq!(gathered.merge(3, Vec::new()), [News::Server(request)]);
        assert!(!gathered.is_ready());
        let connecting = state(ConnectionState::Disconnected, ConnectionState::Connecting);
        let news = gathered.merge(2, vec![connecting.clone()]);
        assert_eq!(news, [News::Client(connecting), News::Server(opened()), News::Server(subscribed())]);
    }

    fn pushed(event: &str, sockets: usize) -> Activity {
        let channel = "private-user.42".to_owned();
        Activity::Pushed { event: event.to_owned(), channel, sockets }
    }

    fn received(payload: &str) -> VmsSocketItem {
        vms_pusher::VmsDecoder::new("https://x").decode(vms_pusher::USER_PUSH, "private-user.42", payload).into()
    }

    #[test]
    fn a_push_is_told_with_what_it_becomes_unless_the_socket_has_ended() {
        let mut gathered = Gathered::default();
        for activity in [pushed("layouts_updated", 0), pushed("weather_changed", 1), pushed("groups_updated", 1)] {
            gathered.add(News::Server(activity));
        }
        assert_eq!(gathered.merge(3, Vec::new()), [News::Server(pushed("layouts_updated", 0))]);
        assert!(!gathered.is_ready());
        let unknown = received(r#"{"data":{"type":"weather_changed","data":{}}}"#);
        let groups = received(r#"{"data":{"type":"groups_updated","data":{}}}"#);
        let news = gathered.merge(0, vec![unknown.clone(), groups.clone()]);
        let expected = [
            News::Server(pushed("weather_changed", 1)),
            News::Client(unknown),
            News::Server(pushed("groups_updated", 1)),
            News::Client(groups),
        ];
        assert_eq!(news, expected);
        let ended = Activity::SocketEnded { socket: 1, ending: Ending::Cut };
        for activity in [pushed("groups_updated", 1), ended.clone()] {
            gathered.add(News::Server(activity));
        }
        assert_eq!(gathered.merge(2, Vec::new()), [pushed("groups_updated", 1), ended].map(News::Server));
    }

    #[test]
    fn what_a_slow_reader_missed_is_counted() {
        let (tell, mut activity) = tokio::sync::broadcast::channel(1);
        for _ in 0..3 {
            tell.send(opened()).unwrap();
        }
        let mut gathered = Gathered::default();
        gathered.drain(&mut activity);
        assert_eq!(gathered.server, [News::ServerMissed(2), News::Server(opened())]);
    }
}

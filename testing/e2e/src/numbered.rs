//! A stream of numbered events on both channels of a session, and what a consumer saw of it.

use std::cell::Cell;
use std::time::Duration;

use serde_json::json;
use vms_pusher::{ConnectionState, VmsAppSocketData, VmsChannel, VmsContinuity, VmsSocketItem};
use vms_sandbox::Session;

use crate::{Consumer, Flaw, History, Seen};

/// The channels of a client, in the order of everything here.
const CHANNELS: [VmsChannel; 2] = [VmsChannel::Token, VmsChannel::User];

/// The data of an event with a number, as `App\Events\UserPush` carries it. Its type tells the channels apart.
#[must_use]
pub fn numbered(channel: VmsChannel, number: u64) -> String {
    let kind = match channel {
        VmsChannel::Token => "camera.store_favorite",
        VmsChannel::User => "camera.destroy_favorite",
    };
    json!({"data": {"type": kind, "status": "ok", "data": {"camera_id": number}}}).to_string()
}

/// The channel and the number of such an event, when it has come.
#[must_use]
pub fn number(item: &VmsSocketItem) -> Option<(VmsChannel, u64)> {
    let (channel, push) = match item {
        VmsSocketItem::AppSocket(VmsAppSocketData::AddFavoriteCamera(push)) => (VmsChannel::Token, push),
        VmsSocketItem::AppSocket(VmsAppSocketData::RemoveFavoriteCamera(push)) => (VmsChannel::User, push),
        _ => return None,
    };
    Some((channel, push.camera_id.try_into().expect("a number of ours")))
}

/// Publishes numbered events on both channels, a pair every 2 ms if that can be had, until `is_over`.
///
/// `publish` gets the channel and the data, and may fail. The histories begin with number 1 and have no hole.
pub async fn publish_numbered(
    session: &Session,
    is_over: &Cell<bool>,
    mut publish: impl AsyncFnMut(&str, &str),
) -> [History; 2] {
    let mut histories = [History::new(), History::new()];
    let mut pace = tokio::time::interval(Duration::from_millis(2));
    while !is_over.get() {
        pace.tick().await;
        publish_pair(session, &mut histories, &mut publish).await;
    }
    histories
}

/// Publishes one more event on each channel; see [`publish_numbered`].
pub async fn publish_pair(session: &Session, histories: &mut [History; 2], mut publish: impl AsyncFnMut(&str, &str)) {
    let names = [session.token_channel(), session.user_channel()];
    for ((history, name), channel) in histories.iter_mut().zip(&names).zip(CHANNELS) {
        let number = history.published() as u64 + 1;
        history.publish(number, publish(name, &numbered(channel, number))).await;
    }
}

/// What a consumer saw, by channel.
#[derive(Debug, Default)]
pub struct Sightings {
    seen: [Vec<Seen>; 2],
}

impl Sightings {
    /// Takes items until each channel has brought this many more events.
    pub async fn take_events(&mut self, consumer: &mut Consumer, more: usize) {
        self.take(consumer, more, |item| matches!(item, Seen::Event(_))).await;
    }

    /// Takes items until the connection is lost.
    pub async fn take_loss(&mut self, consumer: &mut Consumer) {
        loop {
            let item = consumer.next().await;
            self.note(&item);
            if matches!(item, VmsSocketItem::ConnectionState { to: ConnectionState::Reconnecting, .. }) {
                return;
            }
        }
    }

    /// Takes items until each channel has announced one more gap.
    pub async fn take_gap(&mut self, consumer: &mut Consumer) {
        self.take(consumer, 1, is_gap).await;
    }

    /// Takes items until each channel has brought the last event of its history.
    pub async fn take_rest(&mut self, consumer: &mut Consumer, histories: &[History; 2]) {
        while !self.has_the_last(histories) {
            self.note(&consumer.next().await);
        }
    }

    /// Whether each channel has brought the last event of its history.
    #[must_use]
    pub fn has_the_last(&self, histories: &[History; 2]) -> bool {
        let last = histories.each_ref().map(|history| Seen::Event(history.published() as u64));
        self.seen.iter().zip(last).all(|(seen, last)| seen.contains(&last))
    }

    /// The broken promises on each channel.
    #[must_use]
    pub fn flaws(&self, histories: &[History; 2]) -> [Vec<Flaw>; 2] {
        let [token, user] = histories;
        [token.flaws(&self.seen[0]), user.flaws(&self.seen[1])]
    }

    /// How many gaps each channel has announced.
    #[must_use]
    pub fn gaps(&self) -> [usize; 2] {
        self.seen.each_ref().map(|seen| seen.iter().filter(|item| is_gap(item)).count())
    }

    /// How many events each channel has brought.
    #[must_use]
    pub fn events(&self) -> [usize; 2] {
        self.seen.each_ref().map(|seen| seen.iter().filter(|item| matches!(item, Seen::Event(_))).count())
    }

    async fn take(&mut self, consumer: &mut Consumer, more: usize, counted: fn(&Seen) -> bool) {
        let count = |seen: &Vec<Seen>| seen.iter().filter(|item| counted(item)).count();
        let wanted = self.seen.each_ref().map(|seen| count(seen) + more);
        while self.seen.iter().zip(wanted).any(|(seen, wanted)| count(seen) < wanted) {
            self.note(&consumer.next().await);
        }
    }

    /// Takes note of an item, as far as the contract cares.
    pub fn note(&mut self, item: &VmsSocketItem) {
        let place = |channel: VmsChannel| usize::from(channel == VmsChannel::User);
        if let Some((channel, number)) = number(item) {
            self.seen[place(channel)].push(Seen::Event(number));
        }
        match item {
            VmsSocketItem::Continuity(VmsContinuity::ResyncNeeded { channel, since, until, .. }) => {
                let [since, until] = [*since, *until].map(|time| time.try_into().expect("a time of this system"));
                self.seen[place(*channel)].push(Seen::Gap { since, until });
            }
            VmsSocketItem::Continuity(VmsContinuity::Lagged { dropped }) => {
                for seen in &mut self.seen {
                    seen.push(Seen::Lagged(*dropped));
                }
            }
            _ => {}
        }
    }
}

fn is_gap(item: &Seen) -> bool {
    matches!(item, Seen::Gap { .. })
}

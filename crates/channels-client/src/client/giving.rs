//! How what the task hands over gets to those it concerns.

use channels_proto::ConnectionState;

use super::{
    event::ChannelEvent,
    hub::{Hub, Inner},
    subscription::Told,
};
use crate::{
    Item,
    delivery::{Entry, Tap},
};

impl Hub {
    fn give_out(&self, inner: &mut Inner, version: u64, entry: &Entry<ChannelEvent>, told: &mut Told) {
        let channel = entry.event.as_ref().and_then(|event| event.channel.as_ref()).or_else(|| entry.item.channel());
        if let Some(channel) = channel {
            let Some(subscription) = inner.channels.get(channel).filter(|known| version >= known.since) else { return };
            subscription.take(entry, told);
        } else {
            match &entry.item {
                Item::StateChanged { to, .. } => inner.state = *to,
                Item::ConnectionFailed { error, retry_in: None } => inner.refusal = Some(error.clone()),
                Item::Unreadable { .. } | Item::Lagged { .. } => {
                    for subscription in inner.channels.values() {
                        subscription.take(entry, told);
                    }
                }
                Item::CacheMiss { .. }
                | Item::ClientEventFailed { .. }
                | Item::Coalesced { .. }
                | Item::ConnectionFailed { .. }
                | Item::Event(_)
                | Item::HandlerPanicked { .. }
                | Item::Interrupted { .. }
                | Item::MemberAdded { .. }
                | Item::MemberRemoved { .. }
                | Item::Message(_)
                | Item::ServerError { .. }
                | Item::SignedIn { .. }
                | Item::SignInFailed { .. }
                | Item::SubscriptionCount { .. }
                | Item::Undecryptable { .. }
                | Item::Watchlist { .. }
                | Item::Subscribed { .. }
                | Item::SubscriptionFailed { .. }
                | Item::Suspended { .. } => {}
            }
        }
        self.give_to_all(inner, entry, told);
    }
}

impl Tap<ChannelEvent> for Hub {
    fn take(&self, session: u64, version: u64, entries: &mut Vec<Entry<ChannelEvent>>) {
        if entries.is_empty() {
            return;
        }
        let mut told = Told::default();
        let mut inner = self.lock();
        let is_current = inner.session == session;
        let mut is_about_the_connection = false;
        for entry in entries.drain(..).filter(|_| is_current) {
            is_about_the_connection |= matches!(entry.item, Item::StateChanged { .. });
            self.give_out(&mut inner, version, &entry, &mut told);
        }
        if is_about_the_connection && inner.state == ConnectionState::Disconnected && version >= inner.opened {
            self.rest_all(&inner, &mut told);
        }
        drop(inner);
        if is_about_the_connection { self.tell(told) } else { told.tell() }
    }

    fn end(&self) {
        let mut told = Told::default();
        let mut inner = self.lock();
        (inner.has_ended, inner.state) = (true, ConnectionState::Disconnected);
        self.rest_all(&inner, &mut told);
        let all = inner.channels.values().map(|subscription| &subscription.callbacks).chain([&self.callbacks]);
        // What they hold may keep the client from being freed.
        let unbound: Vec<_> = all.map(|callbacks| callbacks.close()).collect();
        drop(inner);
        self.tell(told);
        drop(unbound);
    }
}

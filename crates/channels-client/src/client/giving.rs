//! How what the task hands over gets to those it concerns.

use channels_proto::{ChannelKind, ChannelName, ConnectionState};

use super::{
    event::ChannelEvent,
    hub::{Hub, Inner, SignedIn},
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
            match inner.channels.get(channel).filter(|known| version >= known.since) {
                Some(subscription) => subscription.take(version, entry, told),
                // The user's own channel is the server's to subscribe; and whoever sent something before the channel was
                // left is to know what has become of it.
                None if is_for_nobody(channel, &entry.item) => return,
                None => {}
            }
        } else {
            match &entry.item {
                Item::StateChanged { to, .. } => {
                    inner.state = *to;
                    if *to != ConnectionState::Connected {
                        inner.user = SignedIn::No;
                    }
                }
                // It is about an earlier attempt.
                Item::SignedIn { .. } | Item::SignInFailed { .. } if version < inner.sign_in_asked => {}
                Item::SignedIn { user } => inner.user = SignedIn::Yes(user.clone()),
                Item::SignInFailed { error, .. } => inner.user = SignedIn::Failed(error.clone()),
                Item::ConnectionFailed { error, retry_in: None } => inner.refusal = Some(error.clone()),
                Item::Unreadable { .. } => {
                    for subscription in inner.channels.values() {
                        subscription.take(version, entry, told);
                    }
                }
                Item::CacheMiss { .. }
                | Item::ClientEventFailed { .. }
                | Item::Coalesced { .. }
                | Item::ConnectionFailed { .. }
                | Item::Event(_)
                | Item::HandlerPanicked { .. }
                | Item::Interrupted { .. }
                | Item::Lagged { .. }
                | Item::MemberAdded { .. }
                | Item::MemberRemoved { .. }
                | Item::Message(_)
                | Item::ServerError { .. }
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

fn is_for_nobody(channel: &ChannelName, item: &Item<ChannelEvent>) -> bool {
    channel.kind() != ChannelKind::ServerToUser && !matches!(item, Item::ClientEventFailed { .. })
}

/// Whether somebody may wait for it.
const fn is_about_the_client(item: &Item<ChannelEvent>) -> bool {
    matches!(item, Item::StateChanged { .. } | Item::SignedIn { .. } | Item::SignInFailed { .. })
}

impl Tap<ChannelEvent> for Hub {
    fn take(&self, session: u64, version: u64, entries: &mut Vec<Entry<ChannelEvent>>) {
        if entries.is_empty() {
            return;
        }
        let mut told = Told::default();
        let mut inner = self.lock();
        let is_current = inner.session == session;
        let mut is_about_client = false;
        for entry in entries.drain(..).filter(|_| is_current) {
            is_about_client |= is_about_the_client(&entry.item);
            self.give_out(&mut inner, version, &entry, &mut told);
        }
        if is_about_client && inner.state == ConnectionState::Disconnected && version >= inner.opened {
            self.rest_all(&inner, &mut told);
        }
        drop(inner);
        if is_about_client { self.tell(told) } else { told.tell() }
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

#[cfg(test)]
mod tests {
    use channels_proto::SignInError;
    use tokio::runtime::Handle;

    use super::*;
    use crate::{QueueLimits, delivery::Core};

    // The task may be about to hand over what has become of an attempt when the caller asks for another one.
    #[tokio::test]
    async fn what_was_under_way_when_the_caller_signs_in_or_out_does_not_count() {
        let limits = QueueLimits::default();
        let (hub, core) = (Hub::new(limits, Handle::current()), Core::new(limits, Handle::current(), None));
        let failed = |version| {
            let error = SignInError::Unanswered;
            hub.take(0, version, &mut vec![Entry::report(Item::SignInFailed { error, retry_in: None })]);
            matches!(hub.user(), SignedIn::Failed(_))
        };
        hub.sign_in(&core, true);
        assert!(failed(1));
        hub.sign_in(&core, true);
        assert!(!failed(1) && failed(2));
        hub.sign_in(&core, false);
        assert!(!failed(2));
    }
}

//! A socket's place in the hub.

use std::sync::Arc;

use tokio::sync::watch;

use super::{
    exchange::{Hub, Joined},
    queue,
    roster::{Departure, Mode},
};
use crate::{ending::Ending, member::Membership, websocket::frame::Frame};

/// A socket's place in the hub; if no ending is recorded, the ending is [`Ending::Cut`].
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) number: u64,
    pub(crate) id: String,
    pub(crate) queue: queue::Receiver,
    pub(crate) mode: watch::Receiver<Mode>,
    hub: Arc<Hub>,
}

impl Seat {
    pub(crate) fn open(hub: &Arc<Hub>, id: String) -> Self {
        let (number, queue, mode) = hub.open(id.clone());
        Self { number, id, queue, mode, hub: Arc::clone(hub) }
    }

    /// Reports that this many of the queue's frames have been written.
    pub(crate) fn written(&self, frames: u64) {
        self.queue.written(frames);
        self.hub.touch();
    }

    /// Records the end; returns the members that have left channels, by channel and id.
    pub(crate) fn end(&self, ending: Ending) -> Vec<(String, String)> {
        keys(self.hub.depart(|roster| roster.end(self.number, ending)))
    }

    /// Subscribes, as a member of a presence channel if there is a membership.
    pub(crate) fn join(&self, channel: &str, membership: Option<&Membership>) -> Joined {
        self.hub.join(self.number, channel, membership)
    }

    /// Unsubscribes; returns the members that have left channels, by channel and id.
    pub(crate) fn unsubscribe(&self, channel: &str) -> Vec<(String, String)> {
        keys(self.hub.depart(|roster| roster.unsubscribe(self.number, channel)))
    }

    /// Signs in; returns what the watchlist amounts to, as texts to send.
    pub(crate) fn sign_in(&self, id: &str, watchlist: Option<&[String]>) -> Vec<String> {
        self.hub.sign_in(self.number, id, watchlist)
    }

    pub(crate) fn record_received(&self, frame: &Frame, at_millis: u64) {
        self.hub.change(|roster| roster.record_received(self.number, frame, at_millis));
    }

    pub(crate) fn count_sent(&self, frames: u64) {
        self.hub.change(|roster| roster.count_sent(self.number, frames));
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.end(Ending::Cut);
    }
}

fn keys(departure: Departure) -> Vec<(String, String)> {
    let key = |(channel, member): (String, Membership)| member.key().map(|key| (channel, key));
    departure.members.into_iter().filter_map(key).collect()
}

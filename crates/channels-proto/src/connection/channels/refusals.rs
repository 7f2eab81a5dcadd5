//! Subscribes the server refuses: by an event that names the channel, by an error that does not, or by closing the socket.

use super::{
    Channels, SocketContext,
    answers::Answer,
    channel::{Absence, Blame, Channel, Step, Suspicion},
    table::by_place,
};
use crate::{
    ChannelName, GapCause, SubscriptionError,
    backoff::Class,
    connection::SUSPENDED_AFTER,
    wire::{Rejection, ServerError},
};

impl Channels {
    /// Blames the first unanswered subscribe for the close with `code`. Returns whether there was one. A channel
    /// blamed a second time, when it was alone, is retried rarely: each attempt costs the others a socket.
    pub(in crate::connection) fn suspect(&mut self, code: Option<u16>, socket: &mut SocketContext<'_>) -> bool {
        let first = self.table.index().and_then(|index| index.unanswered.values().next()).cloned();
        let Some(name) = first else { return false };
        let Some(mut channel) = self.table.edit(&name) else { return false };
        match (&channel.step, channel.suspicion) {
            // Nobody wants it any more.
            (Step::Leaving(_), _) => {}
            (_, Suspicion::None | Suspicion::Mute) => channel.suspicion = Suspicion::Closes,
            (_, Suspicion::Closes) => {
                let message = "it closes the connection in answer to the subscribe".to_owned();
                let error = SubscriptionError::RejectedByServer { code, message };
                channel.fail(&name, error, Class::Rare, None, socket);
            }
        }
        true
    }

    /// Handles `pusher:subscription_error`: the end of a subscription, or the answer to a subscribe.
    pub(in crate::connection) fn reject(&mut self, name: &str, rejection: Rejection, socket: &mut SocketContext<'_>) {
        let Some((name, is_subscribed)) = self.find(name) else {
            socket.counters.ignored_internal_events += 1;
            return;
        };
        if is_subscribed {
            self.end_subscription(&name, rejection, socket);
            self.advance(socket);
        } else {
            self.reject_unanswered(name.as_str(), rejection, socket);
        }
    }

    /// Handles the refusal of a subscribe: retried soon or slowly, depending on its status.
    pub(in crate::connection) fn reject_unanswered(
        &mut self,
        name: &str,
        rejection: Rejection,
        socket: &mut SocketContext<'_>,
    ) {
        let Some((name, _)) = self.find(name) else {
            socket.counters.ignored_internal_events += 1;
            return;
        };
        let Some(mut channel) = self.table.edit(&name) else { return };
        let Rejection { status, message } = rejection;
        if channel.answers.take() == Answer::Void {
            drop(channel);
            self.last_answer = socket.now;
            self.remove_left(&name);
            return;
        }
        match channel.step {
            Step::Subscribing(_) => {
                let class = if passes_soon(status) { Class::Normal } else { Class::Slow };
                let error = SubscriptionError::RejectedByServer { code: status, message };
                channel.fail(&name, error, class, None, socket);
                channel.forget_refused();
                self.last_answer = socket.now;
            }
            Step::Leaving(_) => {
                drop(channel);
                self.stop_leaving(&name);
                self.settle_rejections(socket);
                self.advance(socket);
                return;
            }
            Step::Idle
            | Step::Authorizing { .. }
            | Step::Waiting { .. }
            | Step::Subscribed
            | Step::Left
            | Step::Failed => {
                channel.forget_refused();
                socket.counters.ignored_internal_events += 1;
            }
        }
        drop(channel);
        self.settle_rejections(socket);
        self.advance(socket);
    }

    /// Handles the end of a subscription on a socket that stays open.
    fn end_subscription(&mut self, name: &ChannelName, rejection: Rejection, socket: &mut SocketContext<'_>) {
        self.cancel_key(name, socket.outputs);
        let Some(mut channel) = self.table.edit(name) else { return };
        let Rejection { status, message } = rejection;
        // If it is the answer to a subscribe that repeated the acknowledged one, one answer too many is taken to be owed, and
        // the next subscribe will be sent twice. If not, what is owed must not be taken for the answer to the next one.
        channel.lost(name, socket.certain_until, GapCause::EndedByServer { code: status }, socket.outputs);
        // Whatever the server ended, both sides now agree.
        channel.unsubscribe(name, socket);
        channel.absence = Absence::Since { since: socket.now, tell_at: socket.now + SUSPENDED_AFTER };
        channel.resume_trouble(socket.now);
        let class = if status.is_none() || passes_soon(status) { Class::Normal } else { Class::Slow };
        channel.fail(name, SubscriptionError::RejectedByServer { code: status, message }, class, None, socket);
    }

    /// Handles an error that refuses a subscribe without saying which: it is one of those that are never
    /// acknowledged.
    pub(in crate::connection) fn reject_some(&mut self, error: &ServerError, socket: &mut SocketContext<'_>) {
        let ServerError { code, message } = error;
        let error = SubscriptionError::RejectedByServer { code: *code, message: message.clone() };
        self.rejections.push_back(error);
        self.settle_rejections(socket);
        self.advance(socket);
    }

    /// When as many subscribes were refused as are unanswered, those are the ones.
    pub(super) fn settle_rejections(&mut self, socket: &mut SocketContext<'_>) {
        let unanswered = self.table.index().map_or(0, |index| index.unanswered.len());
        if unanswered > self.rejections.len() {
            return;
        }
        let mut rejections = std::mem::take(&mut self.rejections).into_iter();
        for name in self.unanswered_in_order() {
            let (Some(mut channel), Some(error)) = (self.table.edit(&name), rejections.next()) else { continue };
            if matches!(channel.step, Step::Leaving(_)) {
                channel.answers.take();
                drop(channel);
                self.stop_leaving(&name);
            } else {
                blame(&mut channel, &name, error, self.subscribes, socket);
            }
        }
    }

    fn unanswered_in_order(&self) -> Vec<ChannelName> {
        let Some(index) = self.table.index() else { return Vec::new() };
        let placed =
            |name: &ChannelName| self.table.get(name.as_str()).map(|(name, channel)| (channel.place, name.clone()));
        by_place(index.unanswered.values().filter_map(placed))
    }

    /// Handles the refusal of a subscribe whose channel is no longer requested; it may have been sent twice.
    fn stop_leaving(&mut self, name: &ChannelName) {
        if self.table.get(name.as_str()).is_some_and(|(_, channel)| channel.answers.is_complete()) {
            self.table.remove(name);
        }
    }

    fn find(&self, name: &str) -> Option<(ChannelName, bool)> {
        let (name, channel) = self.table.get(name)?;
        Some((name.clone(), matches!(channel.step, Step::Subscribed)))
    }
}

/// Treats `error`, which names no channel, as the answer to this channel's subscribe, unless it is acknowledged after
/// all.
pub(super) fn blame(
    channel: &mut Channel,
    name: &ChannelName,
    error: SubscriptionError,
    newest: u64,
    socket: &mut SocketContext<'_>,
) {
    channel.answers.take();
    channel.fail(name, error.clone(), Class::Slow, None, socket);
    channel.blamed = Some(Box::new(Blame { error, newest }));
}

const fn passes_soon(status: Option<u16>) -> bool {
    matches!(status, Some(408 | 429 | 500..=599))
}

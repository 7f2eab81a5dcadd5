//! Subscribes the server refuses: by an event that names the channel, by an error that does not, or by closing the socket.

use std::collections::VecDeque;

use super::{Channels, Link, channel::Step};
use crate::{
    Output, SubscriptionError, Time,
    backoff::Class,
    wire::{Rejection, ServerError},
};

impl Channels {
    /// Blames the first subscribe that the server left unanswered for the close with `code`. Returns whether there was
    /// one. A channel blamed a second time, when it was alone, is given up.
    pub(in crate::connection) fn suspect(&mut self, code: Option<u16>, outputs: &mut VecDeque<Output>) -> bool {
        let first = self
            .table
            .iter_mut()
            .filter_map(|(name, channel)| channel.subscribe_number().map(|number| (number, name, channel)))
            .min_by_key(|(number, ..)| *number);
        let Some((_, name, channel)) = first else { return false };
        if channel.suspected {
            let message = "the server closes the connection on it".to_owned();
            let error = SubscriptionError::RejectedByServer { code, message };
            channel.fail(name.clone(), error, outputs);
        } else {
            channel.suspected = true;
        }
        true
    }

    /// Takes `pusher:subscription_error`: final, or tried again, by its status.
    pub(in crate::connection) fn reject(&mut self, name: &str, rejection: Rejection, link: &mut Link<'_>) {
        let Some(name) = self.table.get_key_value(name).map(|(name, _)| name.clone()) else {
            link.counters.ignored_internal_events += 1;
            return;
        };
        let Some(channel) = self.table.get_mut(&name) else { return };
        let Rejection { status, message } = rejection;
        match channel.step {
            Step::Subscribing(_) if matches!(status, Some(408 | 429 | 500..=599)) => {
                channel.wait(Class::Normal, None, link);
            }
            Step::Subscribing(_) => {
                let error = SubscriptionError::RejectedByServer { code: status, message };
                channel.fail(name, error, link.outputs);
            }
            Step::Leaving(_) => {
                self.table.remove(&name);
            }
            Step::Idle | Step::Authorizing { .. } | Step::Waiting { .. } | Step::Subscribed | Step::Failed => {
                link.counters.ignored_internal_events += 1;
            }
        }
        self.settle_rejections(link);
        self.advance(link);
    }

    /// Takes an error by which the server refuses some subscribe without saying which: the channels whose
    /// acknowledgement stays away are the ones.
    pub(in crate::connection) fn reject_some(&mut self, error: &ServerError, link: &mut Link<'_>) {
        let ServerError { code, message } = error;
        let error = SubscriptionError::RejectedByServer { code: *code, message: message.clone() };
        self.rejections.push(error);
        self.settle_rejections(link);
        self.advance(link);
    }

    /// When as many subscribes were refused as are unanswered, those are the ones.
    pub(super) fn settle_rejections(&mut self, link: &mut Link<'_>) {
        let unanswered = self.in_order(|channel| channel.subscribe_number().is_some());
        if unanswered.len() > self.rejections.len() {
            return;
        }
        let mut rejections = std::mem::take(&mut self.rejections).into_iter();
        for name in unanswered {
            let (Some(channel), Some(error)) = (self.table.get_mut(&name), rejections.next()) else { continue };
            if matches!(channel.step, Step::Leaving(_)) {
                self.table.remove(&name);
            } else {
                channel.fail(name, error, link.outputs);
                channel.blamed_at = Some(link.now);
            }
        }
    }

    /// The server closed with 4009: what an error without a channel had said since `since` was about the connection, so
    /// the channels given up for it are wanted again.
    pub(in crate::connection) fn pardon(&mut self, since: Time) {
        for channel in self.table.values_mut() {
            if matches!(channel.step, Step::Failed) && channel.blamed_at.is_some_and(|at| at >= since) {
                channel.retry_from_scratch();
            }
        }
    }
}

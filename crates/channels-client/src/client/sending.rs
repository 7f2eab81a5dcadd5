//! What is sent once: client events and raw messages.

use std::sync::Arc;

use channels_proto::{ChannelName, SendError};
use tokio::sync::oneshot;

use super::{error::TriggerError, shared::Shared, subscription::Subscription};
use crate::intent::{NotTaken, Request};

impl Shared {
    /// Sends a client event to the other subscribers of a channel.
    pub(super) fn trigger(
        &self,
        subscription: &Arc<Subscription>,
        event: &str,
        data: &str,
    ) -> Result<(), TriggerError> {
        let (limits, channel) = (&self.limits, subscription.name.clone());
        limits.check_client_event(&channel, event, data)?;
        let request = Request::ClientEvent { channel, event: event.into(), data: data.into() };
        // So that nobody unsubscribes it in between.
        let _hub = self.hub.lock();
        if subscription.is_closed() {
            let channel = subscription.name.clone();
            return Err(channels_proto::TriggerError::NotSubscribed { channel }.into());
        }
        let limit = limits.max_waiting_client_events;
        let requested = self.core().change(|intent| intent.request(request, limit));
        requested.map_err(|(why, _)| match why {
            NotTaken::TooMany => channels_proto::TriggerError::QueueFull { limit }.into(),
            NotTaken::Over => TriggerError::Ended,
        })
    }

    /// Sends a message as it is.
    pub(super) fn send_event(
        &self,
        event: &str,
        channel: Option<&ChannelName>,
        data: &str,
    ) -> impl Future<Output = Result<(), SendError>> + Send + use<> {
        let (answer, answered) = oneshot::channel();
        let request = Request::Message { channel: channel.cloned(), event: event.into(), data: data.into(), answer };
        let limit = self.limits.max_waiting_client_events;
        // What is not taken drops the answer.
        let _ = self.core().change(|intent| intent.request(request, limit));
        async move { answered.await.unwrap_or(Err(SendError::NotConnected)) }
    }
}

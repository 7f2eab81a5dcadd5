//! What the caller sends: client events, and messages as they are.

use super::{Connection, lifecycle::Phase};
use crate::{
    ChannelName, ClientEventError, JsonError, Output, Outputs, Report, Time, TriggerError,
    client_event::{ClientEvent, Readiness},
    json::Value,
    wire::{self, ServerError},
};

/// Why a message was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// There is no connection.
    #[error("the client is not connected")]
    NotConnected,
    /// The data is not JSON.
    #[error("the data of the message is {0}")]
    NotJson(#[from] JsonError),
    /// The message is larger than the limit.
    #[error("the message has {bytes} bytes; the limit is {limit}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// [`Limits::max_message_bytes`](crate::Limits::max_message_bytes).
        limit: usize,
    },
    /// The server is push1st, which exits on some messages and closes the connection on others.
    #[error("the server is push1st, which may exit on a message that it does not know")]
    UnsupportedByServer,
}

impl Connection {
    /// Sends the client event `event` with `data`, which is JSON, to the other subscribers of a private or presence
    /// channel: now, or as soon as the channel is acknowledged. Those of a channel keep their order.
    ///
    /// Nothing acknowledges a client event: it is lost when the socket ends on the way. One that was not sent, because
    /// the channel was left or the client disconnected, and one that the server refuses is reported as
    /// [`Report::ClientEventFailed`].
    ///
    /// # Errors
    /// When it may not be sent: it is no client event, too large, or of a channel of another kind or that is not
    /// requested; when too many were sent within a second or are waiting; on push1st.
    pub fn trigger(
        &mut self,
        now: Time,
        channel: &ChannelName,
        event: &str,
        data: &str,
    ) -> Result<Outputs<'_, 'static>, TriggerError> {
        let limits = &self.options.limits;
        let event = ClientEvent::new(channel, event, data, limits)?;
        if self.is_hazardous() {
            return Err(TriggerError::UnsupportedByServer);
        }
        let readiness = self.channels.readiness(channel);
        if readiness == Readiness::Gone {
            return Err(TriggerError::NotSubscribed { channel: channel.clone() });
        }
        let events = self.client_events.get_or_insert_default();
        if let Some(event) = events.trigger(now, event, readiness, limits)? {
            self.send(event.text);
        }
        Ok(self.finish(now))
    }

    /// Sends one message as it is: `event`, `channel` if there is one, and `data`, which is JSON. Nothing is checked
    /// that the server would check, and nothing is done again on another socket.
    ///
    /// # Errors
    /// When there is no connection, `data` is not JSON, or the message is too large; on push1st.
    pub fn send_event(
        &mut self,
        now: Time,
        event: &str,
        channel: Option<&ChannelName>,
        data: &str,
    ) -> Result<Outputs<'_, 'static>, SendError> {
        let data = data.trim_ascii();
        Value::check(data)?;
        if !matches!(self.phase, Phase::Up(_)) {
            return Err(SendError::NotConnected);
        }
        if self.is_hazardous() {
            return Err(SendError::UnsupportedByServer);
        }
        let (text, limit) = (wire::event(event, channel, data), self.options.limits.max_message_bytes);
        let bytes = text.expose().len();
        if bytes > limit {
            return Err(SendError::TooLarge { bytes, limit });
        }
        self.send(text);
        Ok(self.finish(now))
    }

    /// Sends the client events that waited for their channels, and reports those that wait in vain.
    #[inline]
    pub(super) fn settle_client_events(&mut self, now: Time) {
        if self.client_events.is_some() {
            self.settle_some_client_events(now);
        }
    }

    #[inline(never)]
    fn settle_some_client_events(&mut self, now: Time) {
        let Self { client_events: Some(events), channels, options, .. } = self else { return };
        let gone = events.gone(|channel| channels.readiness(channel));
        let mut ready = Vec::new();
        while let Some(event) = events.next(now, &options.limits, |channel| channels.readiness(channel)) {
            ready.push(event);
        }
        self.fail_client_events(gone, &ClientEventError::Unsubscribed);
        if self.is_hazardous() {
            self.fail_client_events(ready, &ClientEventError::UnsupportedByServer);
        } else {
            ready.into_iter().for_each(|event| self.send(event.text));
        }
    }

    pub(super) fn client_event_deadline(&self) -> Option<Time> {
        let events = self.client_events.as_ref()?;
        events.deadline(&self.options.limits, |channel| self.channels.readiness(channel))
    }

    /// Handles the end of the session: nothing is sent any more.
    pub(super) fn drop_client_events(&mut self) {
        if let Some(mut events) = self.client_events.take() {
            self.fail_client_events(events.take_all(), &ClientEventError::Disconnected);
        }
    }

    /// Handles the end of a socket: what was sent on it is not refused any more.
    pub(super) fn end_client_events(&mut self) {
        if let Some(events) = &mut self.client_events {
            events.end_socket();
        }
        self.client_events.take_if(|events| events.is_idle());
    }

    /// Handles the refusal of a client event, on the channel that the server names if it names one. Returns whether
    /// there is one that it may be about.
    pub(super) fn refuse_client_event(&mut self, now: Time, channel: Option<&str>, error: &ServerError) -> bool {
        let blamed = self.client_events.as_ref().map(|events| events.blame(now, channel)).unwrap_or_default();
        let is_about_one = !blamed.is_empty();
        for (channel, event) in blamed {
            let error =
                ClientEventError::RejectedByServer { code: CLIENT_EVENT_REJECTED, message: error.message.clone() };
            self.report(Report::ClientEventFailed { channel, event, error });
        }
        is_about_one
    }

    fn fail_client_events(&mut self, events: Vec<ClientEvent>, error: &ClientEventError) {
        for ClientEvent { channel, event, .. } in events {
            self.report(Report::ClientEventFailed { channel, event: Some(event), error: error.clone() });
        }
    }

    fn send(&mut self, text: crate::Secret) {
        if let Phase::Up(live) = &self.phase {
            self.outputs.push_back(Output::SendText { epoch: live.epoch, text });
        }
    }

    /// Returns whether the server is push1st, and the caller has not said that it can be trusted.
    pub(super) const fn is_hazardous(&self) -> bool {
        match &self.phase {
            Phase::Up(live) => live.is_push1st && !self.options.trust_push1st,
            Phase::Idle | Phase::Waiting { .. } | Phase::Opening { .. } => false,
        }
    }
}

/// Pusher Channels protocol, "Error codes".
pub(super) const CLIENT_EVENT_REJECTED: u16 = 4301;

//! What callers have sent once.

use channels_proto::{ClientEventError, Time};

use super::Task;
use crate::{Decoder, Item, delivery::Entry, intent::Request};

impl<D: Decoder> Task<D> {
    pub(super) fn request(&mut self, now: Time, request: Request) {
        match request {
            Request::ClientEvent { channel, event, data } => {
                let triggered = self.machine.trigger(now, &channel, &event, &data);
                match triggered {
                    Ok(outputs) => self.driver.carry_out(outputs),
                    Err(error) => {
                        let (size, event, error) = (event.len(), Some(event), ClientEventError::NotSent(error));
                        let report = Item::ClientEventFailed { channel, event, error };
                        self.driver.turn.entries.push(Entry::news(report, size));
                    }
                }
            }
            Request::Message { channel, event, data, answer } => {
                let sent = self.machine.send_event(now, &event, channel.as_ref(), &data);
                // Nobody may be waiting for the answer.
                let _ = answer.send(sent.map(|outputs| self.driver.carry_out(outputs)));
            }
        }
    }
}

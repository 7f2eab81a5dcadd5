//! Faults that strike a client's message.

use crate::{
    dialect::message::ClientMessage,
    fault::{FaultBook, SocketFault, SubscribeAnswer, matches_pattern},
};

/// What becomes of a message that meets a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MessageFault {
    /// Done, and answered twice.
    AnsweredTwice,
    /// The subscription to this channel is refused.
    Refused(String),
    /// Neither done nor answered.
    Unanswered,
}

/// The fault, if one was ordered, that this message meets.
pub(crate) fn take(faults: &FaultBook<SocketFault>, text: &str) -> Option<MessageFault> {
    if faults.is_empty() {
        return None;
    }
    let message = ClientMessage::parse(text).ok()?;
    let channel = message.data_text("channel").unwrap_or_default();
    faults.take(|kind| match (message.event.as_str(), kind) {
        ("pusher:ping", SocketFault::Ping) => Some(MessageFault::Unanswered),
        ("pusher:subscribe", SocketFault::Subscribe { channel: pattern, answer })
            if pattern.as_deref().is_none_or(|pattern| matches_pattern(pattern, channel)) =>
        {
            Some(match answer {
                SubscribeAnswer::AcknowledgeTwice => MessageFault::AnsweredTwice,
                SubscribeAnswer::Ignore => MessageFault::Unanswered,
                SubscribeAnswer::Refuse => MessageFault::Refused(channel.to_owned()),
            })
        }
        _ => None,
    })
}

//! Faults that affect a client's message.

use crate::{
    dialect::message::ClientMessage,
    fault::{FaultBook, SignInAnswer, SocketFault, SubscribeAnswer, matches_pattern},
    push::RawData,
};

/// What happens to a message affected by a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MessageFault {
    /// Acknowledged with this data.
    Acknowledged(RawData),
    /// Done, and answered twice.
    AnsweredTwice,
    /// The subscription to this channel is refused.
    Refused(String),
    /// The sign-in is refused.
    SignInRefused,
    /// Neither done nor answered.
    Unanswered,
}

/// The injected fault, if any, that affects this message.
pub(crate) fn take(faults: &FaultBook<SocketFault>, text: &str) -> Option<MessageFault> {
    if faults.is_empty() {
        return None;
    }
    let message = ClientMessage::parse(text).ok()?;
    let channel = message.data_text("channel").unwrap_or_default();
    let is_meant =
        |pattern: &Option<String>| pattern.as_deref().is_none_or(|pattern| matches_pattern(pattern, channel));
    faults.take(|kind| match (message.event.as_str(), kind) {
        ("pusher:ping", SocketFault::Ping) => Some(MessageFault::Unanswered),
        ("pusher:signin", SocketFault::SignIn { answer: SignInAnswer::Ignore }) => Some(MessageFault::Unanswered),
        ("pusher:signin", SocketFault::SignIn { answer: SignInAnswer::Refuse }) => Some(MessageFault::SignInRefused),
        ("pusher:subscribe", SocketFault::Acknowledge { channel: pattern, data }) if is_meant(pattern) => {
            Some(MessageFault::Acknowledged(data.clone()))
        }
        ("pusher:subscribe", SocketFault::Subscribe { channel: pattern, answer }) if is_meant(pattern) => {
            Some(match answer {
                SubscribeAnswer::AcknowledgeTwice => MessageFault::AnsweredTwice,
                SubscribeAnswer::Ignore => MessageFault::Unanswered,
                SubscribeAnswer::Refuse => MessageFault::Refused(channel.to_owned()),
            })
        }
        _ => None,
    })
}

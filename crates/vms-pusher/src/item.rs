//! What the consumer gets: everything that the delegate has methods for, as one enum.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use channels_client::{Continuity, Item};
use channels_proto::{ChannelName, ConnectFailureKind, ConnectionError, SubscriptionError};
use serde::{Deserialize, Serialize};

use crate::connection::{ConnectionState, PusherError, PusherErrorKind};
use crate::continuity::{VmsChannel, VmsContinuity, describe};
use crate::raw::{Incoming, VmsRawPush};
use crate::socket::{VmsAppSocketData, VmsIntercomSocketData, VmsSocketData};
use crate::time::VmsTime;

/// Everything that the delegate is told, in the order in which it happened.
///
/// Written as JSON, each is an object whose `item` is the variant's name in `snake_case`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "item", rename_all = "snake_case")]
pub enum VmsSocketItem {
    /// The connection went from one state to another, never to the same.
    ConnectionState {
        /// The state before.
        from: ConnectionState,
        /// The state now.
        to: ConnectionState,
    },
    /// A failure.
    Error(PusherError),
    /// A push about cameras, groups, marks, the archive or the session.
    AppSocket(VmsAppSocketData),
    /// A push about intercoms.
    IntercomSocket(VmsIntercomSocketData),
    /// Information for a developer.
    Info {
        /// The text. It contains no secret and nothing of a push.
        message: String,
    },
    /// The stream of pushes was interrupted, or resumed.
    Continuity(VmsContinuity),
}

impl From<VmsSocketData> for VmsSocketItem {
    fn from(socket: VmsSocketData) -> Self {
        match socket {
            VmsSocketData::AppSocket(socket) => Self::AppSocket(socket),
            VmsSocketData::IntercomSocket(socket) => Self::IntercomSocket(socket),
        }
    }
}

impl VmsSocketItem {
    fn error(kind: PusherErrorKind, code: Option<u16>, message: impl Into<String>) -> Self {
        Self::Error(PusherError { kind, code, status: None, message: message.into() })
    }

    fn info(message: impl Into<String>) -> Self {
        Self::Info { message: message.into() }
    }
}

/// What an app has been told of a client's two channels.
#[derive(Debug, Clone, Default)]
pub(crate) struct Channels {
    refused: Arc<[Refused; 2]>,
}

/// How the server refuses a channel, as far as that was told.
#[derive(Debug, Default)]
struct Refused {
    /// By the VMS.
    denied: AtomicBool,
    /// For good.
    given_up: AtomicBool,
}

impl Refused {
    fn set(&self, denied: bool, given_up: bool) {
        self.denied.store(denied, Ordering::Release);
        self.given_up.store(given_up, Ordering::Release);
    }
}

/// One or two items, in this order.
pub(crate) type Told = (VmsSocketItem, Option<VmsSocketItem>);

/// What the first of them was made from, if that is kept.
pub(crate) type Raw = Option<Box<VmsRawPush>>;

impl Channels {
    /// Forgets what was refused: another session begins.
    pub(crate) fn forgive(&self) {
        self.refused.iter().for_each(|refused| refused.set(false, false));
    }

    /// Returns whether it was told that nothing will come on either channel until the app does something.
    pub(crate) fn are_given_up(&self) -> bool {
        self.refused.iter().all(|refused| refused.given_up.load(Ordering::Acquire))
    }

    fn refused(&self, channel: VmsChannel) -> &Refused {
        let [token, user] = self.refused.as_ref();
        match channel {
            VmsChannel::Token => token,
            VmsChannel::User => user,
        }
    }

    /// Like [`tell`](Self::tell), with what the item was made from.
    pub(crate) fn tell_raw(&self, mut item: Item<Incoming>) -> (Raw, Told) {
        let raw = if let Item::Event(incoming) = &mut item { incoming.raw.take() } else { None };
        (raw, self.tell(item))
    }

    /// Turns what the client reports into what the consumer gets.
    fn tell(&self, item: Item<Incoming>) -> Told {
        let item = match item {
            Item::StateChanged { from, to } => {
                let (from, to) = (from.into(), to.into());
                if to == ConnectionState::Disconnected {
                    self.forgive();
                }
                VmsSocketItem::ConnectionState { from, to }
            }
            Item::Event(incoming) => incoming.socket.into(),
            Item::Subscribed { channel, continuity, .. } => {
                VmsSocketItem::Continuity(self.subscribed(VmsChannel::named(&channel), continuity))
            }
            Item::Interrupted { channel, since, clock, cause } => {
                VmsSocketItem::Continuity(VmsContinuity::Interrupted {
                    channel: VmsChannel::named(&channel),
                    since: at(since),
                    clock: clock.map(Into::into),
                    kind: cause.into(),
                    cause: describe(cause),
                })
            }
            Item::SubscriptionFailed { channel, error, since, failures, retry_in } => {
                return self.subscription_failed(&channel, &error, (failures, since), retry_in);
            }
            Item::Lagged { dropped, .. } => VmsSocketItem::Continuity(VmsContinuity::Lagged { dropped }),
            Item::ConnectionFailed { error, retry_in } => return connection_failed(&error, retry_in),
            Item::ServerError { code, message } => VmsSocketItem::error(PusherErrorKind::ServerError, code, message),
            Item::Suspended { channel, since } => {
                let channel = channel.map(|channel| VmsChannel::named(&channel));
                VmsSocketItem::Continuity(VmsContinuity::Suspended { channel, since: at(since) })
            }
            Item::Unreadable { lost, last } => {
                VmsSocketItem::Continuity(VmsContinuity::Unreadable { lost, reason: last.to_string() })
            }
            Item::Coalesced { reports: 1 } => VmsSocketItem::info("one report was folded into those that follow"),
            Item::Coalesced { reports } => {
                VmsSocketItem::info(format!("{reports} reports were folded into those that follow"))
            }
            Item::HandlerPanicked { message } => {
                let kind = PusherErrorKind::DelegatePanicked;
                VmsSocketItem::error(kind, None, format!("the delegate panicked, and is still called: {message}"))
            }
            // Only channels of other kinds, users and what a VMS does not send have these.
            Item::CacheMiss { .. }
            | Item::ClientEventFailed { .. }
            | Item::MemberAdded { .. }
            | Item::MemberRemoved { .. }
            | Item::Message(_)
            | Item::SignedIn { .. }
            | Item::SignInFailed { .. }
            | Item::SubscriptionCount { .. }
            | Item::Undecryptable { .. }
            | Item::Watchlist { .. }
            | _ => VmsSocketItem::info("the server said something that no VMS has a use for"),
        };
        (item, None)
    }

    fn subscribed(&self, channel: VmsChannel, continuity: Continuity) -> VmsContinuity {
        self.refused(channel).set(false, false);
        if let Continuity::Gap { since, until, clock, .. } = continuity {
            let scopes = channel.scopes().to_vec();
            VmsContinuity::ResyncNeeded {
                channel,
                scopes,
                since: at(since),
                until: at(until),
                clock: clock.map(Into::into),
            }
        } else {
            VmsContinuity::Fresh { channel }
        }
    }

    fn subscription_failed(
        &self,
        channel: &ChannelName,
        error: &SubscriptionError,
        (failures, since): (u32, SystemTime),
        retry_in: Option<Duration>,
    ) -> Told {
        let row =
            if failures > 1 { format!(" ({failures} times in a row since {})", at(since)) } else { String::new() };
        let next = match retry_in {
            Some(wait) if wait < SHORTLY => format!("it is tried again in {:.1} s", wait.as_secs_f32()),
            Some(wait) => format!("it is tried again in {} s, and on every new connection", wait.as_secs()),
            None => "it is given up".to_owned(),
        };
        let message = format!("the channel `{channel}` is not subscribed: {error}; {next}{row}");
        let (kind, code, status) = classify(error);
        let told = VmsSocketItem::Error(PusherError { kind, code, status, message });
        if kind == PusherErrorKind::AuthorizationUnavailable {
            return (told, None);
        }
        let channel = VmsChannel::named(channel);
        self.refused(channel).set(matches!(error, SubscriptionError::Denied { .. }), retry_in.is_none());
        let both_denied = || self.refused.iter().all(|refused| refused.denied.load(Ordering::Acquire));
        // A 403 on one channel alone says that this channel is someone else's.
        let session_is_invalid = matches!(error, SubscriptionError::Denied { status: 401 | 419, .. })
            || matches!(error, SubscriptionError::Denied { status: 403, .. }) && both_denied();
        let lost = VmsContinuity::Unavailable { channel, is_final: retry_in.is_none(), session_is_invalid };
        (told, Some(VmsSocketItem::Continuity(lost)))
    }
}

/// Returns the kind of `error`, the server's code and the HTTP status.
fn classify(error: &SubscriptionError) -> (PusherErrorKind, Option<u16>, Option<u16>) {
    match error {
        SubscriptionError::Denied { status, .. } => (PusherErrorKind::Denied, None, Some(*status)),
        SubscriptionError::MalformedAuthorization { .. } => (PusherErrorKind::AuthorizationMalformed, None, None),
        SubscriptionError::WrongAppKey => (PusherErrorKind::WrongAppKey, None, None),
        SubscriptionError::RejectedByServer { code, .. } => {
            // Servers answer with a status of HTTP or with a code of the protocol.
            let (status, code) =
                code.map_or((None, None), |code| if code < 1000 { (Some(code), None) } else { (None, Some(code)) });
            (PusherErrorKind::SubscriptionRejected, code, status)
        }
        SubscriptionError::Unacknowledged => (PusherErrorKind::Unacknowledged, None, None),
        SubscriptionError::AuthorizationUnavailable { .. } | SubscriptionError::AuthorizationTimedOut => {
            (PusherErrorKind::AuthorizationUnavailable, None, None)
        }
        SubscriptionError::AuthorizationDeclined { .. } | _ => (PusherErrorKind::Other, None, None),
    }
}

/// Returns the kind of `error`, the server's code and the HTTP status.
fn classify_connection(error: &ConnectionError) -> (PusherErrorKind, Option<u16>, Option<u16>) {
    match error {
        ConnectionError::Connect { kind, .. } => match kind {
            ConnectFailureKind::Address => (PusherErrorKind::Address, None, None),
            ConnectFailureKind::Resolve => (PusherErrorKind::Resolve, None, None),
            ConnectFailureKind::Network => (PusherErrorKind::Network, None, None),
            ConnectFailureKind::Certificate => (PusherErrorKind::Certificate, None, None),
            ConnectFailureKind::Tls => (PusherErrorKind::Tls, None, None),
            ConnectFailureKind::Status(status) => (PusherErrorKind::HttpStatus, None, Some(*status)),
            ConnectFailureKind::NotWebSocket => (PusherErrorKind::NotWebSocket, None, None),
            ConnectFailureKind::Defect | _ => (PusherErrorKind::Other, None, None),
        },
        ConnectionError::TimedOut { .. } => (PusherErrorKind::TimedOut, None, None),
        ConnectionError::Closed { code, .. } => (PusherErrorKind::Closed, *code, None),
        ConnectionError::ClosedEarly { code, .. } => (PusherErrorKind::ClosedEarly, *code, None),
        ConnectionError::Lost { .. } => (PusherErrorKind::Lost, None, None),
        ConnectionError::MessageTooLong { .. } => (PusherErrorKind::MessageTooLong, None, None),
        ConnectionError::Silent { .. } => (PusherErrorKind::Silent, None, None),
        ConnectionError::Violation(_) => (PusherErrorKind::ProtocolViolation, None, None),
        ConnectionError::Unacknowledged { .. } => (PusherErrorKind::Unacknowledged, None, None),
        ConnectionError::Refused { code, .. } => (PusherErrorKind::Refused, Some(*code), None),
        ConnectionError::GaveUp { .. } | _ => (PusherErrorKind::Other, None, None),
    }
}

fn connection_failed(error: &ConnectionError, retry_in: Option<Duration>) -> Told {
    let (kind, code, status) = classify_connection(error);
    let next = match retry_in {
        Some(wait) => format!("the next attempt follows in {:.1} s", wait.as_secs_f32()),
        None => "there is no further attempt".to_owned(),
    };
    let told = PusherError { kind, code, status, message: error.to_string() };
    (VmsSocketItem::Error(told), Some(VmsSocketItem::info(next)))
}

/// Sooner than this nobody reconnects for it.
const SHORTLY: Duration = Duration::from_secs(30);

fn at(time: SystemTime) -> VmsTime {
    VmsTime::saturating_from(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of a failed channel: the error, and what it means for the channel.
    fn told(
        error: SubscriptionError,
        failures: u32,
        retry_in: Option<Duration>,
    ) -> (PusherError, Option<(bool, bool)>) {
        let channel = ChannelName::parse("private-user.1").unwrap();
        let item = Item::SubscriptionFailed { channel, error, since: SystemTime::UNIX_EPOCH, failures, retry_in };
        let (VmsSocketItem::Error(error), second) = Channels::default().tell(item) else { panic!("no error") };
        let means = second.map(|second| {
            let VmsSocketItem::Continuity(VmsContinuity::Unavailable { channel, is_final, session_is_invalid }) =
                second
            else {
                panic!("{second:?}");
            };
            assert_eq!(channel, VmsChannel::User);
            (is_final, session_is_invalid)
        });
        (error, means)
    }

    // R06: nothing on one channel, or no connection at all
    #[test]
    fn a_suspension_names_its_channel_when_there_is_a_connection() {
        let [token, user] = ["private-token.a", "private-user.1"].map(|name| ChannelName::parse(name).unwrap());
        let channels = Channels::default();
        let cases = [(Some(token), Some(VmsChannel::Token)), (Some(user), Some(VmsChannel::User)), (None, None)];
        for (channel, named) in cases {
            let (item, _) = channels.tell(Item::Suspended { channel, since: SystemTime::UNIX_EPOCH });
            let VmsSocketItem::Continuity(VmsContinuity::Suspended { channel, .. }) = item else { panic!("{item:?}") };
            assert_eq!(channel, named);
        }
    }

    // S01, S02: how long it has been going on, how often, and when the next try comes
    #[test]
    fn each_failed_try_is_told_with_how_it_goes_on() {
        let denied = |status| SubscriptionError::from(channels_proto::AuthorizationError::denied(status));
        let (error, means) = told(denied(401), 1, None);
        assert!(error.message.ends_with("; it is given up"), "{error}");
        assert!(!error.message.contains("in a row"), "{error}");
        assert_eq!((error.kind, error.status, means), (PusherErrorKind::Denied, Some(401), Some((true, true))));
        let (error, means) = told(denied(403), 3, Some(Duration::from_secs(95)));
        assert!(
            error.message.contains("; it is tried again in 95 s, and on every new connection (3 times in a"),
            "{error}"
        );
        assert!(error.message.ends_with(" row since 1970-01-01T00:00:00.000000Z)"), "{error}");
        assert_eq!(means, Some((false, false)), "one answer of one channel is no end");
        let unavailable = SubscriptionError::from(channels_proto::AuthorizationError::unavailable("status 503"));
        let (error, means) = told(unavailable, 2, Some(Duration::from_millis(1_250)));
        assert!(error.message.contains("; it is tried again in 1.2 s (2 times"), "{error}");
        assert_eq!((error.kind, means), (PusherErrorKind::AuthorizationUnavailable, None), "nobody refused anything");
    }

    // S08
    #[test]
    fn a_rejection_has_a_status_or_a_code() {
        let rejected = |code| {
            let message = "no".to_owned();
            let (error, means) = told(SubscriptionError::RejectedByServer { code, message }, 1, Some(SHORTLY));
            assert_eq!(means, Some((false, false)));
            (error.kind, error.code, error.status)
        };
        let kind = PusherErrorKind::SubscriptionRejected;
        assert_eq!(rejected(Some(403)), (kind, None, Some(403)));
        assert_eq!(rejected(Some(4009)), (kind, Some(4009), None));
        assert_eq!(rejected(None), (kind, None, None));
    }

    // S01: an answer on one channel says nothing of the session unless it is about the token
    #[test]
    fn the_session_is_invalid_by_401_and_419_and_when_both_channels_are_denied() {
        let [token, user] = ["private-token.a", "private-user.1"].map(|name| ChannelName::parse(name).unwrap());
        let channels = Channels::default();
        let denied = |channel: &ChannelName, status| {
            let error = SubscriptionError::from(channels_proto::AuthorizationError::denied(status));
            let (_, second) = channels.clone().tell(Item::SubscriptionFailed {
                channel: channel.clone(),
                error,
                since: SystemTime::UNIX_EPOCH,
                failures: 1,
                retry_in: None,
            });
            matches!(
                second,
                Some(VmsSocketItem::Continuity(VmsContinuity::Unavailable { session_is_invalid: true, .. }))
            )
        };
        assert!(denied(&user, 401) && denied(&user, 419));
        assert!(!denied(&user, 403) && !denied(&user, 403));
        assert!(denied(&token, 403) && denied(&user, 403));
        channels.tell(Item::Subscribed { channel: token.clone(), continuity: Continuity::Fresh, members: None });
        assert!(!denied(&user, 403));
        use channels_proto::ConnectionState::{Connected, Disconnected};
        channels.tell(Item::StateChanged { from: Connected, to: Disconnected });
        assert!(!denied(&token, 403) && denied(&user, 403));
    }
}

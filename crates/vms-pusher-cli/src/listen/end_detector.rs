//! Detects when a session cannot go on.

use vms_pusher::{
    ConnectionState, PusherError, PusherErrorKind, VmsAppSocketData, VmsChannel, VmsContinuity, VmsSocketItem,
};

use super::advice;
use crate::failure::{Exit, Failure};

/// Watches the items of a session for failures that waiting cannot mend.
#[derive(Debug)]
pub(super) struct EndDetector {
    socket_url: String,
    base_url: String,
    logout: Option<Option<String>>,
    /// The connection ended, and not by this program: the error that follows says why.
    disconnected: bool,
    last_error: Option<PusherError>,
    /// The channels that were given up permanently.
    lost: Vec<VmsChannel>,
    /// The server rejected the session with an answer that may be temporary: both channels were denied with 403.
    doubted: bool,
    accepted: bool,
}

/// Why a session cannot go on.
#[derive(Debug)]
pub(super) enum Fatal {
    Failed(Failure),
    /// The server no longer accepts the session.
    SessionRefused(Failure),
}

impl EndDetector {
    pub(super) fn new(socket_url: &str, base_url: &str) -> Self {
        Self {
            socket_url: socket_url.to_owned(),
            base_url: base_url.to_owned(),
            logout: None,
            disconnected: false,
            last_error: None,
            lost: Vec::new(),
            doubted: false,
            accepted: false,
        }
    }

    /// Whether a channel was subscribed in this session, so the token was good.
    pub(super) const fn was_accepted(&self) -> bool {
        self.accepted
    }

    /// Follows an item, and returns why the session cannot go on, if so.
    pub(super) fn on(&mut self, item: &VmsSocketItem) -> Option<Fatal> {
        match item {
            VmsSocketItem::AppSocket(VmsAppSocketData::Logout(reason)) => self.logout = Some(reason.clone()),
            VmsSocketItem::Error(error) => {
                if self.disconnected || error.kind == PusherErrorKind::Refused {
                    return Some(Fatal::Failed(self.refused(error)));
                }
                self.last_error = Some(error.clone());
            }
            VmsSocketItem::ConnectionState { to: ConnectionState::Disconnected, .. } => {
                self.disconnected = true;
                return self.logout.as_ref().map(|reason| Fatal::Failed(self.logged_out(reason.as_deref())));
            }
            VmsSocketItem::Continuity(continuity) => return self.on_continuity(continuity),
            VmsSocketItem::AppSocket(_)
            | VmsSocketItem::ConnectionState { .. }
            | VmsSocketItem::Info { .. }
            | VmsSocketItem::IntercomSocket(_) => {}
        }
        None
    }

    fn on_continuity(&mut self, continuity: &VmsContinuity) -> Option<Fatal> {
        match continuity {
            VmsContinuity::Fresh { channel } | VmsContinuity::ResyncNeeded { channel, .. } => {
                (self.accepted, self.doubted) = (true, false);
                self.lost.retain(|lost| lost != channel);
                None
            }
            VmsContinuity::Unavailable { session_is_invalid: true, is_final, .. } => {
                // A gateway may say 403 for a moment; the second time is a slow try later.
                let is_certain = *is_final || std::mem::replace(&mut self.doubted, true);
                is_certain.then(|| Fatal::SessionRefused(self.session_refused()))
            }
            VmsContinuity::Unavailable { channel, is_final: true, .. } => {
                self.lost.retain(|lost| lost != channel);
                self.lost.push(*channel);
                (self.lost.len() == CHANNELS).then(|| Fatal::Failed(self.deaf()))
            }
            VmsContinuity::Interrupted { .. }
            | VmsContinuity::Lagged { .. }
            | VmsContinuity::Suspended { .. }
            | VmsContinuity::Unavailable { .. }
            | VmsContinuity::Unreadable { .. } => None,
        }
    }

    /// Returns the failure to report if no reason arrives.
    pub(super) fn without_reason(&self) -> Failure {
        let error = PusherError {
            kind: PusherErrorKind::Other,
            code: None,
            status: None,
            message: "no reason was given".to_owned(),
        };
        self.refused(&error)
    }

    fn logged_out(&self, reason: Option<&str>) -> Failure {
        let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        Failure::new(Exit::Unauthorized, format!("{} ended the session{reason}", self.base_url))
            .tip("log in again, with --login or a new token")
    }

    fn refused(&self, error: &PusherError) -> Failure {
        let exit = if error.code == Some(UNAUTHORIZED) { Exit::Unauthorized } else { Exit::Refused };
        Failure::new(exit, format!("{} refuses the connection permanently: {error}", self.socket_url))
            .tip(advice::tip(error))
            .because(error)
    }

    fn session_refused(&self) -> Failure {
        let failure =
            |why: &str| Failure::new(Exit::Unauthorized, format!("{} does not accept the session{why}", self.base_url));
        match &self.last_error {
            Some(error) => failure(&format!(": {error}")).tip(advice::tip(error)).because(error),
            None => failure(""),
        }
    }

    /// Connected, but subscribed to no channel.
    fn deaf(&self) -> Failure {
        let message = format!("{} grants neither channel", self.socket_url);
        let Some(error) = &self.last_error else { return Failure::new(Exit::Refused, message) };
        let is_denial = error.kind == PusherErrorKind::Denied;
        let exit = if is_denial { Exit::Unauthorized } else { Exit::Refused };
        Failure::new(exit, format!("{message}: {error}")).tip(advice::tip(error)).because(error)
    }
}

/// The user's and the session's.
const CHANNELS: usize = 2;
/// A close code of the Pusher protocol.
const UNAUTHORIZED: u16 = 4009;

#[cfg(test)]
mod tests {
    use super::*;

    fn detector() -> EndDetector {
        EndDetector::new("wss://push.example", "https://vms.example")
    }

    fn error(kind: PusherErrorKind, code: Option<u16>, status: Option<u16>) -> VmsSocketItem {
        VmsSocketItem::Error(PusherError { kind, code, status, message: format!("{kind:?}") })
    }

    fn disconnected() -> VmsSocketItem {
        VmsSocketItem::ConnectionState { from: ConnectionState::Connected, to: ConnectionState::Disconnected }
    }

    fn unavailable(channel: VmsChannel, is_final: bool, session_is_invalid: bool) -> VmsSocketItem {
        VmsSocketItem::Continuity(VmsContinuity::Unavailable { channel, is_final, session_is_invalid })
    }

    #[track_caller]
    fn failure(items: &[VmsSocketItem]) -> (Exit, String) {
        let mut detector = detector();
        let (last, before) = items.split_last().unwrap();
        for item in before {
            assert!(detector.on(item).is_none(), "{item:?}");
        }
        let Some(Fatal::Failed(failure)) = detector.on(last) else { panic!("it goes on after {items:?}") };
        (failure.exit(), failure.to_string())
    }

    // C05, C06
    #[test]
    fn the_exit_code_is_that_of_the_error_which_ended_it_whatever_came_before() {
        use PusherErrorKind::{HttpStatus, Refused, ServerError};
        let (exit, text) = failure(&[disconnected(), error(Refused, Some(4001), None)]);
        assert_eq!(exit, Exit::Refused);
        assert!(text.contains("code 4001") && text.contains("--app-key"), "{text}");
        let before = error(ServerError, Some(4009), None);
        assert_eq!(failure(&[before, disconnected(), error(Refused, Some(4001), None)]).0, Exit::Refused);
        let before = error(HttpStatus, None, Some(503));
        assert_eq!(failure(&[before, disconnected(), error(Refused, Some(4009), None)]).0, Exit::Unauthorized);
        assert_eq!(failure(&[error(Refused, Some(4004), None)]).0, Exit::Refused);
    }

    #[test]
    fn a_channel_that_is_tried_again_ends_nothing() {
        let mut detector = detector();
        for _ in 0..3 {
            for channel in [VmsChannel::Token, VmsChannel::User] {
                assert!(detector.on(&error(PusherErrorKind::Denied, None, Some(403))).is_none());
                assert!(detector.on(&unavailable(channel, false, false)).is_none());
            }
        }
        assert!(detector.on(&unavailable(VmsChannel::Token, true, false)).is_none(), "the other may come yet");
        let Some(Fatal::Failed(failure)) = detector.on(&unavailable(VmsChannel::User, true, false)) else { panic!() };
        assert_eq!(failure.exit(), Exit::Unauthorized);
    }

    #[test]
    fn a_session_that_both_channels_are_denied_to_is_refused_the_second_time() {
        let mut detector = detector();
        let fresh = |channel| VmsSocketItem::Continuity(VmsContinuity::Fresh { channel });
        for _ in 0..3 {
            assert!(detector.on(&unavailable(VmsChannel::Token, false, false)).is_none());
            assert!(detector.on(&unavailable(VmsChannel::User, false, true)).is_none(), "it may be a gateway");
            assert!(detector.on(&fresh(VmsChannel::User)).is_none());
        }
        assert!(detector.on(&unavailable(VmsChannel::User, false, true)).is_none());
        assert!(matches!(detector.on(&unavailable(VmsChannel::Token, false, true)), Some(Fatal::SessionRefused(_))));
    }

    #[test]
    fn a_session_that_is_refused_is_told_apart_with_whether_it_ever_was_accepted() {
        let mut detector = detector();
        detector.on(&error(PusherErrorKind::Denied, None, Some(401)));
        let refused = detector.on(&unavailable(VmsChannel::Token, true, true));
        assert!(matches!(&refused, Some(Fatal::SessionRefused(failure)) if failure.exit() == Exit::Unauthorized));
        assert!(!detector.was_accepted());
        detector.on(&VmsSocketItem::Continuity(VmsContinuity::Fresh { channel: VmsChannel::User }));
        assert!(detector.was_accepted());
    }
}

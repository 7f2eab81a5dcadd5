//! When listening has come to an end by itself.

use vms_pusher::{ConnectionState, PusherError, VmsAppSocketData, VmsChannel, VmsContinuity, VmsSocketItem};

use crate::failure::{Exit, Failure};

/// Watches the items for what cannot be mended by waiting.
pub(crate) struct Verdict {
    socket_url: String,
    base_url: String,
    logout: Option<Option<String>>,
    last_error: Option<PusherError>,
    /// The channels that were given up, and whether for want of a valid session.
    lost: Vec<(VmsChannel, bool)>,
}

impl Verdict {
    pub(crate) fn new(socket_url: &str, base_url: &str) -> Self {
        Self {
            socket_url: socket_url.to_owned(),
            base_url: base_url.to_owned(),
            logout: None,
            last_error: None,
            lost: Vec::new(),
        }
    }

    /// Takes note of an item, and returns why it is over when it is.
    pub(crate) fn on(&mut self, item: &VmsSocketItem) -> Option<Failure> {
        match item {
            VmsSocketItem::AppSocket(VmsAppSocketData::Logout(reason)) => self.logout = Some(reason.clone()),
            VmsSocketItem::Error(error) => self.last_error = Some(error.clone()),
            VmsSocketItem::ConnectionState { to: ConnectionState::Disconnected, .. } => {
                return Some(self.disconnected());
            }
            VmsSocketItem::Continuity(
                VmsContinuity::Fresh { channel } | VmsContinuity::ResyncNeeded { channel, .. },
            ) => {
                self.lost.retain(|(lost, _)| lost != channel);
            }
            VmsSocketItem::Continuity(VmsContinuity::Unavailable { channel, session_is_invalid, .. }) => {
                self.lost.retain(|(lost, _)| lost != channel);
                self.lost.push((*channel, *session_is_invalid));
                return (self.lost.len() == CHANNELS).then(|| self.deaf());
            }
            VmsSocketItem::AppSocket(_)
            | VmsSocketItem::ConnectionState { .. }
            | VmsSocketItem::Continuity(_)
            | VmsSocketItem::Info { .. }
            | VmsSocketItem::IntercomSocket(_) => {}
        }
        None
    }

    fn disconnected(&self) -> Failure {
        if let Some(reason) = &self.logout {
            let reason = reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
            return Failure::new(Exit::Unauthorized, format!("{} ended the session{reason}", self.base_url))
                .tip("log in again, with --login or a new token");
        }
        let (code, message) = match &self.last_error {
            Some(error) => (error.code, error.to_string()),
            None => (None, "no reason was given".to_owned()),
        };
        let message = format!("{} refuses the connection for good: {message}", self.socket_url);
        match code {
            Some(UNAUTHORIZED) => Failure::new(Exit::Unauthorized, message).tip("is the token still valid?"),
            Some(NO_SUCH_APP | APP_DISABLED) => Failure::new(Exit::Refused, message)
                .tip("check --app-key and --socket-url, or leave both out: the VMS is then asked for them"),
            Some(_) | None => Failure::new(Exit::Refused, message).tip("check --socket-url and --app-key"),
        }
    }

    /// Connected, but to no channel.
    fn deaf(&self) -> Failure {
        let why = self.last_error.as_ref().map_or_else(String::new, |error| format!(": {error}"));
        if self.lost.iter().any(|(_, session_is_invalid)| *session_is_invalid) {
            let message = format!("{} does not authorize either channel{why}", self.base_url);
            return Failure::new(Exit::Unauthorized, message)
                .tip("is the token valid, and are --user-id and --access-token-id those that belong to it?");
        }
        Failure::new(Exit::Refused, format!("{} gives neither channel{why}", self.socket_url))
            .tip("are --socket-url and --app-key those of this VMS? without them it is asked")
    }
}

/// The user's and the session's.
const CHANNELS: usize = 2;
/// Close codes of the Pusher protocol.
const NO_SUCH_APP: u16 = 4001;
const APP_DISABLED: u16 = 4003;
const UNAUTHORIZED: u16 = 4009;

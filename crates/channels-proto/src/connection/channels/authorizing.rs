//! From a requested channel to its subscribe on the wire, by way of the authorization endpoint.

use super::{Channels, SUSPENDED_AFTER, SocketContext, channel::Step, needs_authorization, sealed};
use crate::{
    Authorization, AuthorizationError, AuthorizationId, ChannelKind, ChannelName, Output, SubscriptionError,
    backoff::Class, outputs::Queue,
};

impl Channels {
    /// Handles the result of an authorization. Returns whether it was awaited.
    pub(in crate::connection) fn authorize(
        &mut self,
        id: AuthorizationId,
        answer: Result<Authorization, AuthorizationError>,
        socket: &mut SocketContext<'_>,
    ) -> bool {
        let Some(name) = self.pending.remove(&id.0) else { return false };
        let Some((_, channel)) = self.table.get(name.as_str()) else { return true };
        if channel.is_key_asked(id) {
            self.take_key(&name, answer, socket);
            self.advance(socket);
            return true;
        }
        if !matches!(channel.step, Step::Authorizing { id: asked, .. } if asked == id) {
            return false;
        }
        match answer {
            Ok(authorization) => self.take_authorization(&name, authorization, socket),
            Err(error) => self.take_authorization_error(&name, error, socket),
        }
        self.advance(socket);
        true
    }

    pub(super) fn start(&mut self, name: &ChannelName, socket: &mut SocketContext<'_>) {
        self.write_off_answers(name, socket);
        let Some(mut channel) = self.table.edit(name) else { return };
        if socket.is_push1st && name.kind() == ChannelKind::Presence {
            channel.give_up(name, SubscriptionError::UnsupportedByServer, socket);
            return;
        }
        channel.started(socket.now, socket.now + SUSPENDED_AFTER);
        if !needs_authorization(name) {
            self.subscribes += 1;
            channel.subscribe(name, self.subscribes, None, socket);
        } else if self.pending.len() < socket.options.limits.max_authorizations {
            self.authorizations += 1;
            let id = AuthorizationId(self.authorizations);
            self.pending.insert(id.0, name.clone());
            channel.step =
                Step::Authorizing { id, deadline: socket.now + channel.authorization_timeout(socket.options) };
            socket.outputs.push_back(Output::Authorize {
                id,
                channel: name.clone(),
                socket_id: socket.socket_id.clone(),
                refresh_token: *socket.refresh_token,
            });
        }
    }

    fn take_authorization(&mut self, name: &ChannelName, authorization: Authorization, socket: &mut SocketContext<'_>) {
        let Some(mut channel) = self.table.edit(name) else { return };
        *socket.refresh_token = false;
        if let Err(error) = check(name, &authorization) {
            drop(channel);
            self.take_authorization_error(name, error, socket);
            return;
        }
        match authorization.auth.expose().split_once(':') {
            Some((key, signature)) if key == socket.options.app_key.as_str() && !signature.is_empty() => {
                if let Some(trouble) = &mut channel.trouble {
                    (trouble.malformed, trouble.slow_authorizations) = (0, 0);
                }
                self.subscribes += 1;
                channel.subscribe(name, self.subscribes, Some(authorization), socket);
            }
            Some((_, signature)) if !signature.is_empty() => {
                channel.fail(name, SubscriptionError::WrongAppKey, Class::Slow, None, socket);
            }
            _ => {
                drop(channel);
                let error = AuthorizationError::malformed("`auth` is not of the form `key:signature`");
                self.take_authorization_error(name, error, socket);
            }
        }
    }

    pub(super) fn take_authorization_error(
        &mut self,
        name: &ChannelName,
        error: AuthorizationError,
        socket: &mut SocketContext<'_>,
    ) {
        let Some(mut channel) = self.table.edit(name) else { return };
        let retry_after = error.retry_after();
        let trouble = channel.trouble(socket.now);
        let is_late = matches!(error, AuthorizationError::TimedOut);
        trouble.slow_authorizations = if is_late { trouble.slow_authorizations.saturating_add(1) } else { 0 };
        let class = match &error {
            final_one if !final_one.is_retryable() => {
                channel.give_up(name, error.into(), socket);
                return;
            }
            AuthorizationError::Malformed { .. } => {
                trouble.malformed = trouble.malformed.saturating_add(1);
                if trouble.malformed < MALFORMED_TRIES { Class::Normal } else { Class::Slow }
            }
            AuthorizationError::Denied { .. } | AuthorizationError::Declined { .. } => Class::Slow,
            AuthorizationError::Unavailable { .. } | AuthorizationError::TimedOut => Class::Normal,
        };
        let error = SubscriptionError::from(error);
        channel.fail(name, error, class, retry_after, socket);
    }

    pub(super) fn cancel_authorizations(&mut self, outputs: &mut Queue) {
        let pending = std::mem::take(&mut self.pending);
        outputs.extend(pending.into_keys().map(|id| Output::CancelAuthorization { id: AuthorizationId(id) }));
    }
}

/// Returns what the authorization lacks that the kind of its channel needs.
fn check(name: &ChannelName, authorization: &Authorization) -> Result<(), AuthorizationError> {
    authorization.check(name.kind())?;
    if name.kind() == ChannelKind::PrivateEncrypted {
        sealed::extra_of(Some(authorization)).map_err(AuthorizationError::malformed)?;
    }
    Ok(())
}

/// Fault S04: then it is tried slowly.
const MALFORMED_TRIES: u8 = 3;

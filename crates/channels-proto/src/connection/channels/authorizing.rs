//! From a wanted channel to its subscribe on the wire, by way of the authorization endpoint.

use std::collections::VecDeque;

use super::{Channels, Link, channel::Step, needs_authorization};
use crate::{
    Authorization, AuthorizationError, AuthorizationId, ChannelName, Output, SubscriptionError, backoff::Class,
};

impl Channels {
    /// Takes the answer to an authorization. Returns whether it was awaited.
    pub(in crate::connection) fn authorize(
        &mut self,
        id: AuthorizationId,
        answer: Result<Authorization, AuthorizationError>,
        link: &mut Link<'_>,
    ) -> bool {
        let Some(name) = self.pending.remove(&id) else { return false };
        match answer {
            Ok(authorization) => self.take_authorization(&name, authorization, link),
            Err(error) => self.take_authorization_error(&name, error, link),
        }
        self.advance(link);
        true
    }

    pub(super) fn start(&mut self, name: &ChannelName, link: &mut Link<'_>) {
        let Some(channel) = self.table.get_mut(name) else { return };
        if !needs_authorization(name) {
            self.subscribes += 1;
            channel.subscribe(name, self.subscribes, None, link);
        } else if self.pending.len() < link.options.limits.max_authorizations {
            self.authorizations += 1;
            let id = AuthorizationId(self.authorizations);
            self.pending.insert(id, name.clone());
            channel.step = Step::Authorizing { id, deadline: link.now + link.options.authorization_timeout };
            link.outputs.push_back(Output::Authorize {
                id,
                channel: name.clone(),
                socket_id: link.socket_id.clone(),
                refresh_token: *link.refresh_token,
            });
        }
    }

    fn take_authorization(&mut self, name: &ChannelName, authorization: Authorization, link: &mut Link<'_>) {
        let Some(channel) = self.table.get_mut(name) else { return };
        *link.refresh_token = false;
        match authorization.auth.expose().split_once(':') {
            Some((key, signature)) if key == link.options.app_key.as_str() && !signature.is_empty() => {
                channel.malformed = 0;
                self.subscribes += 1;
                channel.subscribe(name, self.subscribes, Some(authorization), link);
            }
            Some((_, signature)) if !signature.is_empty() => {
                channel.fail(name.clone(), SubscriptionError::WrongAppKey, link.outputs);
            }
            _ => {
                let message = "`auth` is not of the form `key:signature`".to_owned();
                self.take_authorization_error(name, AuthorizationError::Malformed { message }, link);
            }
        }
    }

    pub(super) fn take_authorization_error(
        &mut self,
        name: &ChannelName,
        error: AuthorizationError,
        link: &mut Link<'_>,
    ) {
        let Some(channel) = self.table.get_mut(name) else { return };
        let retry_after = error.retry_after();
        match error {
            AuthorizationError::Denied { status } => {
                channel.fail(name.clone(), SubscriptionError::Denied { status }, link.outputs);
            }
            AuthorizationError::Malformed { message } => {
                channel.malformed += 1;
                if channel.malformed < MALFORMED_TRIES {
                    channel.wait(Class::Normal, None, link);
                } else {
                    let error = SubscriptionError::MalformedAuthorization { message };
                    channel.fail(name.clone(), error, link.outputs);
                }
            }
            AuthorizationError::Unavailable { .. } | AuthorizationError::TimedOut => {
                channel.wait(Class::Normal, retry_after, link);
            }
        }
    }

    pub(super) fn cancel_authorizations(&mut self, outputs: &mut VecDeque<Output>) {
        let pending = std::mem::take(&mut self.pending);
        outputs.extend(pending.into_keys().map(|id| Output::CancelAuthorization { id }));
    }
}

/// Fault S04.
const MALFORMED_TRIES: u8 = 3;

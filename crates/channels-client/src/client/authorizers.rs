//! Who signs for which channel.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use channels_proto::{Authorization, AuthorizationError, ChannelName, UserAuthentication};

use crate::{AuthenticationRequest, AuthorizationRequest, Authorizer, DynAuthorizer};

/// The authorizer of a client, and those of single channels.
#[derive(Default)]
pub(super) struct Authorizers {
    of_all: Option<Arc<dyn DynAuthorizer>>,
    own: Mutex<BTreeMap<ChannelName, Arc<dyn DynAuthorizer>>>,
}

impl Authorizers {
    pub(super) fn new(of_all: Option<Arc<dyn DynAuthorizer>>) -> Self {
        Self { of_all, own: Mutex::default() }
    }

    /// Returns whether somebody signs for `channel`.
    pub(super) fn cover(&self, channel: &ChannelName) -> bool {
        self.of_all.is_some() || self.own().contains_key(channel)
    }

    /// Gives a channel its own; those of channels that `are_left` go.
    pub(super) fn give(
        &self,
        channel: ChannelName,
        authorizer: Arc<dyn DynAuthorizer>,
        are_left: impl Fn(&ChannelName) -> bool,
    ) {
        let mut own = self.own();
        // As many again may come until the next time.
        if own.len() >= FEW && own.len().is_power_of_two() {
            own.retain(|channel, _| !are_left(channel));
        }
        let replaced = own.insert(channel, authorizer);
        drop(own);
        drop(replaced);
    }

    pub(super) fn forget(&self, channel: &ChannelName) {
        let forgotten = self.own().remove(channel);
        drop(forgotten);
    }

    fn own(&self) -> MutexGuard<'_, BTreeMap<ChannelName, Arc<dyn DynAuthorizer>>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, channel: &ChannelName) -> Option<Arc<dyn DynAuthorizer>> {
        self.own().get(channel).cloned().or_else(|| self.of_all.clone())
    }
}

impl Authorizer for Authorizers {
    async fn authorize(&self, request: AuthorizationRequest) -> Result<Authorization, AuthorizationError> {
        let authorizer = self.of(&request.channel).ok_or_else(nobody)?;
        authorizer.boxed_authorize(request).await
    }

    async fn authenticate(&self, request: AuthenticationRequest) -> Result<UserAuthentication, AuthorizationError> {
        let authorizer = self.of_all.clone().ok_or_else(nobody)?;
        authorizer.boxed_authenticate(request).await
    }

    async fn prepare(&self, channels: usize) {
        if let Some(authorizer) = self.of_all.clone() {
            authorizer.boxed_prepare(channels).await;
        }
    }

    fn hide_secrets(&self, text: &str) -> Option<String> {
        let own: Vec<_> = self.own().values().cloned().collect();
        own.iter().chain(&self.of_all).fold(None, |hidden, authorizer| {
            let more = (**authorizer).hide_secrets(hidden.as_deref().unwrap_or(text));
            more.or(hidden)
        })
    }

    fn release(&self) {
        if let Some(authorizer) = &self.of_all {
            (**authorizer).release();
        }
    }
}

fn nobody() -> AuthorizationError {
    AuthorizationError::declined("give an authorizer to `Client::builder` or to `Client::subscribe_with`")
}

impl fmt::Debug for Authorizers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorizers").field("own", &self.own().len()).finish_non_exhaustive()
    }
}

/// So many are not worth a look.
const FEW: usize = 16;

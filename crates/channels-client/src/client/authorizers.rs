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
        let left: Vec<_> = if own.len() >= FEW && own.len().is_power_of_two() {
            own.extract_if(.., |channel, _| are_left(channel)).collect()
        } else {
            Vec::new()
        };
        let replaced = own.insert(channel, authorizer);
        // Foreign code may run when they are dropped.
        drop(own);
        drop((left, replaced));
    }

    pub(super) fn forget(&self, channel: &ChannelName) {
        let forgotten = self.own().remove(channel);
        drop(forgotten);
    }

    fn own(&self) -> MutexGuard<'_, BTreeMap<ChannelName, Arc<dyn DynAuthorizer>>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn all(&self) -> Vec<Arc<dyn DynAuthorizer>> {
        self.own().values().chain(&self.of_all).cloned().collect()
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
        self.all().iter().fold(None, |hidden, authorizer| {
            let more = (**authorizer).hide_secrets(hidden.as_deref().unwrap_or(text));
            more.or(hidden)
        })
    }

    fn release(&self) {
        for authorizer in self.all() {
            (*authorizer).release();
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

#[cfg(test)]
mod tests {
    use std::sync::{
        Weak,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    #[derive(Default)]
    struct Count {
        released: AtomicUsize,
        dropped_in_lock: AtomicUsize,
        dropped: AtomicUsize,
    }

    struct Counting(Arc<Count>, Weak<Authorizers>);

    impl Authorizer for Counting {
        async fn authorize(&self, _: AuthorizationRequest) -> Result<Authorization, AuthorizationError> {
            Err(nobody())
        }

        fn release(&self) {
            self.0.released.fetch_add(1, Ordering::SeqCst);
        }
    }

    impl Drop for Counting {
        fn drop(&mut self) {
            self.0.dropped.fetch_add(1, Ordering::SeqCst);
            if self.1.upgrade().is_some_and(|all| all.own.try_lock().is_err()) {
                self.0.dropped_in_lock.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    #[test]
    fn authorizers_of_channels_that_were_left_are_dropped_where_they_may_call_the_client() {
        let (count, all) = (Arc::new(Count::default()), Arc::new(Authorizers::new(None)));
        for number in 0..=FEW {
            let channel = ChannelName::parse(format!("private-{number}").as_str()).unwrap();
            all.give(channel, Arc::new(Counting(Arc::clone(&count), Arc::downgrade(&all))), |_| true);
        }
        assert_eq!(count.dropped.load(Ordering::SeqCst), FEW);
        assert_eq!(count.dropped_in_lock.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn the_authorizer_of_a_channel_is_released_like_that_of_the_client() {
        let (count, all) = (Arc::new(Count::default()), Arc::new(Authorizers::new(None)));
        let channel = ChannelName::parse("private-a").unwrap();
        all.give(channel, Arc::new(Counting(Arc::clone(&count), Weak::new())), |_| false);
        Authorizer::release(&*all);
        assert_eq!(count.released.load(Ordering::SeqCst), 1);
    }
}

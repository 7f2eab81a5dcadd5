use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use channels_proto::{ChannelName, Secret, SocketId};
use http::StatusCode;
use tokio::{sync::watch, task::JoinSet, time::Instant};

use super::{DynTokenProvider, EndpointRequest, TokenError, TokenProvider, current_token, token::guarded};

/// A [`TokenProvider`] shared by several users of the same tokens: it is asked for a new token one call at a time,
/// whoever asks, and its answer is kept for the next one who asks.
///
/// A refresh runs to completion on the runtime on which it was requested, even when nobody waits for it any more; it
/// is dropped together with this. [`HttpAuthorizer`](super::HttpAuthorizer) makes one of a provider by itself.
/// Cheap to clone.
#[derive(Clone)]
pub struct SharedTokens(Arc<Shared>);

struct Shared {
    provider: Arc<dyn DynTokenProvider>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    refreshes: u64,
    last: Option<Box<Refresh>>,
    /// What was forbidden with a fresh token as well, and on which socket.
    forbidden: Option<Box<Forbidden>>,
    /// None until the first refresh.
    work: Option<JoinSet<()>>,
}

/// The channels that a socket may not subscribe to; none of them for the user.
struct Forbidden {
    socket_id: SocketId,
    channels: BTreeSet<Option<ChannelName>>,
}

/// The refresh in progress, or the last one.
struct Refresh {
    number: u64,
    rejected: Secret,
    /// The socket of the request that asked for it.
    socket_id: Option<SocketId>,
    /// The server has accepted the token that it brought.
    worked: bool,
    outcome: watch::Receiver<Option<Outcome>>,
}

#[derive(Clone)]
struct Outcome {
    at: Instant,
    token: Result<Secret, TokenError>,
}

/// The token that a request starts with.
pub(super) struct Present {
    pub(super) token: Secret,
    /// How many refreshes had ended by then: one that ends later brings a newer token.
    ended: u64,
}

/// Where the next token comes from.
enum Next {
    Known(Secret),
    Awaited(watch::Receiver<Option<Outcome>>),
    /// A fresh one was refused.
    None,
}

impl SharedTokens {
    /// Shares the tokens of `provider`, or those that are shared already.
    #[must_use]
    pub fn new(provider: impl Into<Self>) -> Self {
        provider.into()
    }

    /// Returns the token to use now, which is never one that is known to have been replaced.
    pub(super) async fn present(&self) -> Result<Present, TokenError> {
        let ended = self.state().ended();
        let token = current_token(Arc::clone(&self.0.provider)).await?;
        let newer = self.state().successor(&token);
        Ok(Present { token: newer.unwrap_or(token), ended })
    }

    /// Returns the token to try after the server has refused the one of `present`, with `status` if it gave one, for
    /// `request`; none when that was a fresh one.
    pub(super) async fn after_refusal(
        &self,
        present: &Present,
        request: &EndpointRequest,
        status: Option<StatusCode>,
    ) -> Result<Option<Secret>, TokenError> {
        let next = {
            let mut state = self.state();
            if status == Some(StatusCode::FORBIDDEN) && state.is_forbidden(request) {
                return Ok(None);
            }
            match state.known(present, &request.socket_id) {
                Some(next) => next,
                None => Next::Awaited(self.start(&mut state, &present.token, Some(&request.socket_id))),
            }
        };
        match next {
            Next::Known(token) => Ok(Some(token)),
            Next::Awaited(outcome) => Ok(Some(awaited(outcome).await?).filter(|token| *token != present.token)),
            Next::None => Ok(None),
        }
    }

    /// Notes what the server said last about `token` for `request`.
    pub(super) fn heard(&self, request: &EndpointRequest, token: &Secret, status: StatusCode) {
        let mut state = self.state();
        if status.is_success() {
            state.work_with(token);
            if let Some(forbidden) = &mut state.forbidden
                && forbidden.socket_id == request.socket_id
            {
                forbidden.channels.remove(&request.channel);
            }
        } else if status == StatusCode::FORBIDDEN {
            state.forbid(request);
        }
    }

    /// Asks for the successor of `rejected`.
    fn start(
        &self,
        state: &mut State,
        rejected: &Secret,
        socket_id: Option<&SocketId>,
    ) -> watch::Receiver<Option<Outcome>> {
        let (tell, outcome) = watch::channel(None);
        let provider = Arc::clone(&self.0.provider);
        let ask = rejected.clone();
        let work = state.work.get_or_insert_default();
        work.spawn(async move {
            let token = guarded(async move { provider.boxed_refresh(ask).await }).await;
            // Nobody may be waiting, and it is kept all the same.
            tell.send_replace(Some(Outcome { at: Instant::now(), token }));
        });
        while work.try_join_next().is_some() {}
        state.refreshes += 1;
        state.last = Some(Box::new(Refresh {
            number: state.refreshes,
            rejected: rejected.clone(),
            socket_id: socket_id.cloned(),
            worked: false,
            outcome: outcome.clone(),
        }));
        outcome
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn ended(&self) -> u64 {
        let under_way = self.last.as_deref().is_some_and(Refresh::is_under_way);
        self.refreshes - u64::from(under_way)
    }

    fn successor(&self, token: &Secret) -> Option<Secret> {
        self.last.as_ref().filter(|last| last.rejected == *token)?.token()
    }

    /// Returns the next token as far as the last refresh has to do with the refusal; none to ask for a new one.
    fn known(&self, present: &Present, socket_id: &SocketId) -> Option<Next> {
        let last = self.last.as_ref()?;
        let Some(outcome) = last.ended() else {
            return last.is_under_way().then(|| Next::Awaited(last.outcome.clone()));
        };
        let token = outcome.token.ok()?;
        if token == present.token {
            let is_fresh = !last.worked && outcome.at.elapsed() < FRESH;
            return (is_fresh && last.socket_id.as_ref() == Some(socket_id)).then_some(Next::None);
        }
        (last.number > present.ended).then_some(Next::Known(token))
    }

    fn work_with(&mut self, token: &Secret) {
        if let Some(last) = &mut self.last
            && !last.worked
        {
            last.worked = last.token().is_some_and(|brought| brought == *token);
        }
    }

    fn is_forbidden(&self, request: &EndpointRequest) -> bool {
        let on_this_socket = self.forbidden.as_ref().filter(|forbidden| forbidden.socket_id == request.socket_id);
        on_this_socket.is_some_and(|forbidden| forbidden.channels.contains(&request.channel))
    }

    fn forbid(&mut self, request: &EndpointRequest) {
        match &mut self.forbidden {
            Some(forbidden) if forbidden.socket_id == request.socket_id => {
                forbidden.channels.insert(request.channel.clone());
            }
            other => {
                let EndpointRequest { socket_id, channel } = request.clone();
                let mut channels = BTreeSet::new();
                channels.insert(channel);
                *other = Some(Box::new(Forbidden { socket_id, channels }));
            }
        }
    }
}

impl Refresh {
    fn is_under_way(&self) -> bool {
        self.ended().is_none() && self.outcome.has_changed().is_ok()
    }

    fn ended(&self) -> Option<Outcome> {
        self.outcome.borrow().clone()
    }

    fn token(&self) -> Option<Secret> {
        self.ended()?.token.ok()
    }
}

async fn awaited(mut outcome: watch::Receiver<Option<Outcome>>) -> Result<Secret, TokenError> {
    let interrupted = || TokenError::Unavailable { message: "the refresh was interrupted".to_owned() };
    let ended = outcome.wait_for(Option::is_some).await.map_err(|_| interrupted())?.clone();
    ended.ok_or_else(interrupted)?.token
}

impl From<Arc<dyn DynTokenProvider>> for SharedTokens {
    fn from(provider: Arc<dyn DynTokenProvider>) -> Self {
        Self(Arc::new(Shared { provider, state: Mutex::default() }))
    }
}

impl<P: TokenProvider> From<Arc<P>> for SharedTokens {
    fn from(provider: Arc<P>) -> Self {
        Self::from(provider as Arc<dyn DynTokenProvider>)
    }
}

impl TokenProvider for SharedTokens {
    async fn token(&self) -> Result<Secret, TokenError> {
        Ok(self.present().await?.token)
    }

    async fn refresh(&self, rejected: &Secret) -> Result<Secret, TokenError> {
        let outcome = {
            let mut state = self.state();
            if let Some(newer) = state.successor(rejected).filter(|newer| newer != rejected) {
                return Ok(newer);
            }
            match state.last.as_ref().filter(|last| last.is_under_way()) {
                Some(last) => last.outcome.clone(),
                None => self.start(&mut state, rejected, None),
            }
        };
        awaited(outcome).await
    }
}

impl fmt::Debug for SharedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedTokens").finish_non_exhaustive()
    }
}

/// A token that has not worked within this time after it was obtained no longer counts as fresh when it is refused.
const FRESH: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use vms_pusher::{
    ConnectionState, PusherErrorKind, Secret, SocketAddressError, TokenError, TokenProvider, VmsPusherApi,
    VmsPusherConfig, VmsSocketDiscovery, VmsSocketItem, VmsSocketUrl, VmsSocketUrlProvider,
};
use vms_sandbox::{Sandbox, Session};

use crate::support::*;

/// What was right before the server moved, and got another app key.
fn outdated(sandbox: &Sandbox, session: &Session) -> VmsPusherConfig {
    let socket_url = format!("{}/once/here", sandbox.socket_url().trim_end_matches("/pusher"));
    let mut config = VmsPusherConfig { socket_url, app_key: "old-key".into(), ..config(sandbox, session) };
    config.options.socket_discovery = VmsSocketDiscovery::Api;
    config
}

fn has_failed(items: &[VmsSocketItem]) -> bool {
    items.iter().any(|item| matches!(item, VmsSocketItem::Error(error) if error.kind == PusherErrorKind::HttpStatus))
}

#[tokio::test]
async fn a_server_that_has_moved_is_found_again_through_the_api() {
    let (sandbox, session) = sandbox().await;
    let (api, delegate) = (VmsPusherApi::new(outdated(&sandbox, &session)).unwrap(), Recorder::new());
    api.set_delegate(&delegate);
    api.connect();
    delegate.wait_subscribed(1).await;
    assert!(has_failed(&delegate.items()), "the outdated address was never tried");
    push_number(&sandbox, &session, 7).await;
    delegate.wait(|items| items.iter().filter_map(number_of).eq([7])).await;
}

/// Has a token that is out of date, and another one after a refresh.
struct Stale {
    fresh: Secret,
    refreshes: Arc<AtomicUsize>,
}

impl TokenProvider for Stale {
    async fn token(&self) -> Result<Secret, TokenError> {
        Ok(Secret::new("stale"))
    }

    async fn refresh(&self, _: &Secret) -> Result<Secret, TokenError> {
        self.refreshes.fetch_add(1, Ordering::SeqCst);
        Ok(self.fresh.clone())
    }
}

// A01: moved and expired at once, as after a long absence; one new token serves the search and the channels
#[tokio::test]
async fn a_token_that_is_refused_in_the_search_is_refreshed_once_for_everything() {
    let (sandbox, session) = sandbox().await;
    let refreshes = Arc::<AtomicUsize>::default();
    let mut config = outdated(&sandbox, &session);
    let fresh = Secret::new(session.access_token.clone());
    config.options.token_provider = Some(Arc::new(Stale { fresh, refreshes: Arc::clone(&refreshes) }));
    let (api, delegate) = (VmsPusherApi::new(config).unwrap(), Recorder::new());
    api.set_delegate(&delegate);
    api.connect();
    delegate.wait_subscribed(1).await;
    assert_eq!(refreshes.load(Ordering::SeqCst), 1);
}

struct Known(Result<VmsSocketUrl, SocketAddressError>);

impl VmsSocketUrlProvider for Known {
    async fn socket_url(&self) -> Result<VmsSocketUrl, SocketAddressError> {
        self.0.clone()
    }
}

#[tokio::test]
async fn the_app_may_know_where_the_server_is_and_what_it_says_is_checked() {
    let (sandbox, session) = sandbox().await;
    let right = VmsSocketUrl { ws_url: sandbox.socket_url(), app_key: sandbox.app_key().to_owned() };
    let wrong = VmsSocketUrl { ws_url: "https://example.com".into(), app_key: "key".into() };
    for (answer, goes_well) in [(right, true), (wrong, false)] {
        let mut config = outdated(&sandbox, &session);
        config.options.socket_discovery = VmsSocketDiscovery::Provider(Arc::new(Known(Ok(answer))));
        let (api, delegate) = (VmsPusherApi::new(config).unwrap(), Recorder::new());
        api.set_delegate(&delegate);
        api.connect();
        if goes_well {
            delegate.wait(|items| items.iter().any(|item| is_state(item, ConnectionState::Connected))).await;
        } else {
            delegate.wait(has_failed).await;
            api.connect();
            let told = |item: &VmsSocketItem| {
                matches!(item, VmsSocketItem::Error(error)
                    if error.kind == PusherErrorKind::Address && error.message.contains("must start with ws://"))
            };
            delegate.wait(move |items| items.iter().any(told)).await;
        }
    }
}

// Off is the default: nobody is asked
#[tokio::test]
async fn without_a_discovery_the_address_of_the_configuration_is_all_there_is() {
    let (sandbox, session) = sandbox().await;
    let mut config = outdated(&sandbox, &session);
    config.options.socket_discovery = VmsSocketDiscovery::default();
    let (api, delegate) = (VmsPusherApi::new(config).unwrap(), Recorder::new());
    api.set_delegate(&delegate);
    api.connect();
    delegate.wait(has_failed).await;
    api.connect();
    delegate.wait(|items| items.iter().filter(|item| is_state(item, ConnectionState::Reconnecting)).count() == 2).await;
    assert!(!sandbox.requests().iter().any(|request| request.path.ends_with("wsurl")));
}

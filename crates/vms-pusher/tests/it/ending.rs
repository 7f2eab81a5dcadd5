//! When it is over: the stream ends, and closing waits for the socket and the delegate.

use tokio::time::timeout;
use vms_pusher::{ConnectionState, PusherErrorKind, VmsAppSocketData, VmsContinuity, VmsEvents, VmsSocketItem};
use vms_sandbox::{Activity, Ending, Push, Sockets, Target, TokenStatus};

use crate::support::*;

/// What a `while let` over the stream sees, which has to end by itself.
async fn all(events: &mut VmsEvents) -> Vec<VmsSocketItem> {
    let mut items = Vec::new();
    let reading = async {
        while let Some(item) = events.next().await {
            items.push(item);
        }
    };
    timeout(PATIENCE, reading).await.expect("the stream does not end");
    items
}

/// How the next socket ends.
async fn ending(activity: &mut tokio::sync::broadcast::Receiver<Activity>) -> Ending {
    loop {
        let told = timeout(PATIENCE, activity.recv()).await.expect("no socket ends").unwrap();
        if let Activity::SocketEnded { ending, .. } = told {
            return ending;
        }
    }
}

// A07
#[tokio::test]
async fn the_stream_ends_after_a_logout_and_goes_on_after_another_connect() {
    let (sandbox, session) = sandbox().await;
    let api = api(&sandbox, &session);
    let mut events = api.events();
    for _ in 0..2 {
        api.connect();
        sandbox.wait_subscribed(&session, PATIENCE).await.unwrap();
        // The token stays valid, so another connect goes well.
        let logout = Push::new("logout").to(Target::Session(session.access_token_id.clone()));
        assert_eq!(sandbox.push(logout).await.unwrap().sockets, 1);
        let items = all(&mut events).await;
        let is_logout = |item: &VmsSocketItem| matches!(item, VmsSocketItem::AppSocket(VmsAppSocketData::Logout(_)));
        assert!(items.iter().any(is_logout), "{items:#?}");
        assert!(items.last().is_some_and(|last| is_state(last, ConnectionState::Disconnected)), "{items:#?}");
        assert!(events.next_batch(8).await.is_empty() && events.try_next().is_none());
        sandbox.wait_until(PATIENCE, |state| state.sockets.is_empty()).await.unwrap();
    }
}

// C05
#[tokio::test]
async fn the_stream_ends_after_a_final_refusal_with_its_reason() {
    let (sandbox, session) = sandbox().await;
    let api = api(&sandbox, &session);
    let mut events = api.events();
    api.connect();
    sandbox.wait_subscribed(&session, PATIENCE).await.unwrap();
    sandbox.close(&Sockets::All, 4003, "disabled").await;
    let items = all(&mut events).await;
    let refused =
        |item: &VmsSocketItem| matches!(item, VmsSocketItem::Error(error) if error.kind == PusherErrorKind::Refused);
    assert!(items.iter().any(refused), "{items:#?}");
}

// A08: the connection is fine, and yet nothing will come
#[tokio::test]
async fn the_stream_ends_when_both_channels_are_given_up_for_good() {
    for status in [TokenStatus::Revoked, TokenStatus::Expired] {
        let (sandbox, session) = sandbox().await;
        sandbox.set_token_status(&session.access_token_id, status);
        let api = api(&sandbox, &session);
        let mut events = api.events();
        api.connect();
        let items = all(&mut events).await;
        let given_up = |item: &&VmsSocketItem| {
            let VmsSocketItem::Continuity(continuity) = item else { return false };
            matches!(continuity, VmsContinuity::Unavailable { is_final: true, session_is_invalid: true, .. })
        };
        assert_eq!(items.iter().filter(given_up).count(), 2, "{items:#?}");
        assert!(api.is_connected());
    }
}

// A08: the delegate was told, and the stream has nothing to wait for any more
#[tokio::test]
async fn a_stream_that_waits_ends_when_the_delegate_that_was_told_of_the_refusals_is_removed() {
    let (sandbox, session) = sandbox().await;
    sandbox.set_token_status(&session.access_token_id, TokenStatus::Revoked);
    let (api, delegate) = (api(&sandbox, &session), Recorder::new());
    api.set_delegate(&delegate);
    let mut events = api.events();
    let mut waiting = tokio::task::JoinSet::new();
    waiting.spawn(async move { events.next().await });
    tokio::task::yield_now().await;
    api.connect();
    let given_up = |item: &&VmsSocketItem| {
        matches!(item, VmsSocketItem::Continuity(VmsContinuity::Unavailable { is_final: true, .. }))
    };
    delegate.wait(move |items| items.iter().filter(given_up).count() == 2).await;
    api.remove_delegate();
    let ended = timeout(PATIENCE, waiting.join_next()).await.expect("the stream sleeps for ever");
    assert_eq!(ended.unwrap().unwrap(), None);
}

#[tokio::test]
async fn the_stream_ends_after_a_disconnect_with_the_last_state() {
    let (sandbox, session) = sandbox().await;
    let api = api(&sandbox, &session);
    let mut events = api.events();
    api.connect();
    sandbox.wait_subscribed(&session, PATIENCE).await.unwrap();
    while !matches!(events.next().await, Some(VmsSocketItem::Continuity(_))) {}
    api.disconnect();
    let items = all(&mut events).await;
    assert!(matches!(&items[..], [only] if is_state(only, ConnectionState::Disconnected)), "{items:#?}");
}

// D06, W19
#[tokio::test]
async fn closing_waits_until_the_server_has_got_the_close_frame() {
    let (sandbox, session) = sandbox().await;
    let (api, delegate) = (api(&sandbox, &session), Recorder::new());
    let mut activity = sandbox.activity();
    api.set_delegate(&delegate);
    api.connect();
    delegate.wait_subscribed(1).await;
    assert!(api.close(PATIENCE).await);
    let last = delegate.items().pop().unwrap();
    assert!(is_state(&last, ConnectionState::Disconnected), "{last:?}");
    let by_client = Ending::ClosedByClient { code: Some(1000), reason: String::new() };
    assert_eq!(ending(&mut activity).await, by_client);
    assert!(api.close(PATIENCE).await, "there is nothing to wait for");
}

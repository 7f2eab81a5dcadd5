use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use vms_pusher::{ConnectionState, QueueLimits, VmsChannel, VmsContinuity, VmsPusherApi, VmsSocketItem};

use crate::support::*;

const FRESH_USER: VmsSocketItem = VmsSocketItem::Continuity(VmsContinuity::Fresh { channel: VmsChannel::User });

// K12, I10: the state comes before the subscriptions, those before the pushes, and pushes in the order of the wire
#[tokio::test]
async fn the_delegate_is_told_everything_in_order() {
    let (sandbox, session) = sandbox().await;
    let (api, delegate) = (api(&sandbox, &session), Recorder::new());
    api.set_delegate(&delegate);
    assert_eq!((api.is_connected(), api.socket_id(), api.state()), (false, None, ConnectionState::Disconnected));
    api.connect();
    delegate.wait_subscribed(1).await;
    assert!(api.is_connected() && api.socket_id().is_some());
    for number in 0..50 {
        push_number(&sandbox, &session, number).await;
    }
    let items = delegate.wait(|items| items.iter().filter_map(number_of).count() == 50).await;
    let state = |from, to| VmsSocketItem::ConnectionState { from, to };
    assert_eq!(items.first(), Some(&state(ConnectionState::Disconnected, ConnectionState::Connecting)));
    assert_eq!(items.get(1), Some(&state(ConnectionState::Connecting, ConnectionState::Connected)));
    let subscribed = items.iter().position(|item| *item == FRESH_USER).unwrap();
    assert!(items.iter().take(subscribed).all(|item| number_of(item).is_none()), "{items:#?}");
    assert_eq!(delegate.numbers(), (0..50).collect::<Vec<_>>());
}

// K01: a panic is reported once, and neither the connection nor the delegate is given up
#[tokio::test]
async fn a_delegate_that_panics_is_called_again() {
    let (sandbox, session) = sandbox().await;
    let api = api(&sandbox, &session);
    let delegate = Recorder::reacting(|item| {
        assert!(!matches!(number_of(item), Some(1 | 2)), "the delegate's own mistake");
    });
    api.set_delegate(&delegate);
    api.connect();
    delegate.wait_subscribed(1).await;
    for number in 1..=4 {
        push_number(&sandbox, &session, number).await;
    }
    let is_report = |item: &&VmsSocketItem| matches!(item, VmsSocketItem::Error(error) if error.message.contains("the delegate's own mistake"));
    let items = delegate
        .wait(move |items| items.iter().filter_map(number_of).count() == 4 && items.iter().any(|item| is_report(&item)))
        .await;
    assert_eq!(delegate.numbers(), [1, 2, 3, 4]);
    assert_eq!(items.iter().filter(is_report).count(), 1);
    assert_eq!((sandbox.state().sockets_ever, api.counters().handler_panics), (1, 2));
}

// K01: one report may be two calls; a panic in the first does not swallow the second
#[tokio::test]
async fn a_panic_in_the_first_of_two_calls_does_not_swallow_the_second() {
    let (sandbox, session) = sandbox().await;
    sandbox.set_token_status(&session.access_token_id, vms_sandbox::TokenStatus::Revoked);
    let api = api(&sandbox, &session);
    let delegate = Recorder::reacting(|item| assert!(!matches!(item, VmsSocketItem::Error(_)), "any error"));
    api.set_delegate(&delegate);
    api.connect();
    let lost = |item: &&VmsSocketItem| matches!(item, VmsSocketItem::Continuity(VmsContinuity::Unavailable { .. }));
    delegate.wait(move |items| items.iter().filter(lost).count() == 2).await;
}

// K04, D06, I13: a delegate that never returns holds up nobody, and what waited behind it is not delivered later
#[tokio::test]
async fn a_delegate_that_blocks_harms_nobody() {
    let (sandbox, session) = sandbox().await;
    let api = api(&sandbox, &session);
    let (release, released) = mpsc::sync_channel::<()>(1);
    let released = Mutex::new(released);
    let delegate = Recorder::reacting(move |item| {
        if number_of(item) == Some(1) {
            released.lock().unwrap().recv().unwrap();
        }
    });
    api.set_delegate(&delegate);
    api.connect();
    delegate.wait_subscribed(1).await;
    push_number(&sandbox, &session, 1).await;
    delegate.wait(|items| items.iter().any(|item| number_of(item) == Some(1))).await;
    push_number(&sandbox, &session, 2).await;
    // The server's ping is answered although the delegate is stuck.
    sandbox.ping(&vms_sandbox::Sockets::All).await;
    let answered = sandbox.wait_until(PATIENCE, |state| state.sockets.iter().any(|socket| socket.frames_received >= 3));
    answered.await.unwrap();
    let off = api.clone();
    off_the_runtime(move || off.disconnect()).await;
    assert_eq!((api.is_connected(), api.socket_id()), (false, None));
    assert!(!api.close(std::time::Duration::from_millis(1)).await);
    api.set_delegate(&delegate);
    release.send(()).unwrap();
    let items =
        delegate.wait(|items| items.last().is_some_and(|last| is_state(last, ConnectionState::Disconnected))).await;
    assert_eq!(delegate.numbers(), [1], "{items:#?}");
    sandbox.wait_until(PATIENCE, |state| state.sockets.is_empty()).await.unwrap();
}

// K03: the delegate may call everything of the API
#[tokio::test]
async fn the_delegate_may_call_back_into_the_api() {
    let (sandbox, session) = sandbox().await;
    let api = api(&sandbox, &session);
    let (inner, seen) = (api.clone(), Arc::new(Mutex::new(None)));
    let kept = Arc::clone(&seen);
    let delegate = Recorder::reacting(move |item| {
        if number_of(item) == Some(1) {
            let id = inner.socket_id();
            inner.connect();
            inner.network_changed();
            assert!(inner.is_connected() && inner.rest().with_token(&vms_pusher::Secret::new("t")).is_ok());
            inner.disconnect();
            *kept.lock().unwrap() = Some((id, inner.is_connected(), inner.socket_id()));
            inner.connect();
        }
    });
    api.set_delegate(&delegate);
    api.connect();
    delegate.wait_subscribed(1).await;
    let id = api.socket_id();
    push_number(&sandbox, &session, 1).await;
    delegate.wait_subscribed(2).await;
    assert_eq!(*seen.lock().unwrap(), Some((id.clone(), false, None)));
    assert!(api.socket_id().is_some() && api.socket_id() != id, "a new session has a new socket");
    push_number(&sandbox, &session, 2).await;
    delegate.wait(|items| items.iter().filter_map(number_of).count() == 2).await;
}

// K03: also its own removal, and the replacement of itself
#[tokio::test]
async fn the_delegate_may_replace_itself() {
    let (sandbox, session) = sandbox().await;
    let api = api(&sandbox, &session);
    let second = Recorder::new();
    let (inner, next) = (api.clone(), Arc::clone(&second));
    let first = Recorder::reacting(move |item| {
        if number_of(item) == Some(1) {
            inner.set_delegate(&next);
        }
    });
    api.set_delegate(&first);
    api.connect();
    first.wait_subscribed(1).await;
    for number in 1..=3 {
        push_number(&sandbox, &session, number).await;
    }
    second.wait(|items| items.iter().filter_map(number_of).count() == 2).await;
    assert_eq!((first.numbers(), second.numbers()), (vec![1], vec![2, 3]));
}

// K11: whoever comes late learns the state first, and then what waited
#[tokio::test]
async fn a_late_delegate_is_told_the_state_and_what_waited() {
    let (sandbox, session) = sandbox().await;
    let api = api(&sandbox, &session);
    api.connect();
    sandbox.wait_subscribed(&session, PATIENCE).await.unwrap();
    push_number(&sandbox, &session, 1).await;
    let delegate = Recorder::new();
    api.set_delegate(&delegate);
    let items = delegate.wait(|items| items.iter().any(|item| number_of(item) == Some(1))).await;
    assert!(is_state(&items[0], ConnectionState::Connecting) && is_state(&items[1], ConnectionState::Connected));
    let later = Recorder::new();
    api.set_delegate(&later);
    later.wait(|items| items.first().is_some_and(|first| is_state(first, ConnectionState::Connected))).await;
}

// B02, B03, I26: what does not fit is counted in its place; delivered and dropped make up all
#[tokio::test]
async fn what_a_slow_delegate_misses_is_counted() {
    let (sandbox, session) = sandbox().await;
    let mut config = config(&sandbox, &session);
    config.options.queue = QueueLimits { max_items: 8, ..QueueLimits::default() };
    let api = VmsPusherApi::new(config).unwrap();
    let (release, released) = mpsc::sync_channel::<()>(1);
    let (released, is_first) = (Mutex::new(released), AtomicBool::new(true));
    let delegate = Recorder::reacting(move |item| {
        if number_of(item).is_some() && is_first.swap(false, Ordering::SeqCst) {
            released.lock().unwrap().recv().unwrap();
        }
    });
    api.set_delegate(&delegate);
    api.connect();
    delegate.wait_subscribed(1).await;
    push_number(&sandbox, &session, 0).await;
    delegate.wait(|items| items.iter().any(|item| number_of(item).is_some())).await;
    for number in 1..100 {
        push_number(&sandbox, &session, number).await;
    }
    let lost = |items: &[VmsSocketItem]| -> u64 {
        let lag = |item: &VmsSocketItem| match item {
            VmsSocketItem::Continuity(VmsContinuity::Lagged { dropped }) => *dropped,
            _ => 0,
        };
        items.iter().map(lag).sum()
    };
    eventually("91 events to be dropped", || api.counters().dropped_events >= 91).await;
    release.send(()).unwrap();
    let items = delegate.wait(|items| items.iter().any(|item| number_of(item) == Some(99))).await;
    let numbers = delegate.numbers();
    assert_eq!(lost(&items) + u64::try_from(numbers.len()).unwrap(), 100, "{items:#?}");
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
}

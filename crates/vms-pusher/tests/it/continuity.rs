use vms_pusher::{ConnectionState, VmsChannel, VmsContinuity, VmsResyncScope, VmsSocketItem};
use vms_sandbox::Sockets;

use crate::support::*;

fn continuities(items: &[VmsSocketItem]) -> Vec<&VmsContinuity> {
    let mut all = Vec::new();
    for item in items {
        if let VmsSocketItem::Continuity(continuity) = item {
            all.push(continuity);
        }
    }
    all
}

// I26, I27: a gap opens once a channel, is closed before any later push, and says what to reload
#[tokio::test]
async fn a_lost_connection_is_a_gap_with_what_to_reload() {
    let (sandbox, session) = sandbox().await;
    let (api, delegate) = (api(&sandbox, &session), Recorder::new());
    api.set_delegate(&delegate);
    api.connect();
    delegate.wait_subscribed(1).await;
    let old = api.socket_id();
    push_number(&sandbox, &session, 1).await;
    delegate.wait(|items| items.iter().any(|item| number_of(item) == Some(1))).await;
    sandbox.cut(&Sockets::All);
    delegate.wait_subscribed(2).await;
    push_number(&sandbox, &session, 2).await;
    let items = delegate.wait(|items| items.iter().any(|item| number_of(item) == Some(2))).await;
    assert_ne!(api.socket_id(), old);
    assert!(items.iter().any(|item| is_state(item, ConnectionState::Reconnecting)), "{items:#?}");
    for channel in [VmsChannel::Token, VmsChannel::User] {
        let all = continuities(&items);
        let opened: Vec<_> = all
            .iter()
            .filter_map(|c| match c {
                VmsContinuity::Interrupted { channel: of, since, cause, .. } if *of == channel => Some((since, cause)),
                _ => None,
            })
            .collect();
        let [(opened_at, cause)] = opened[..] else { panic!("{opened:?}") };
        assert!(!cause.is_empty());
        let closed: Vec<_> = all
            .iter()
            .filter_map(|c| match c {
                VmsContinuity::ResyncNeeded { channel: of, scopes, since, until, .. } if *of == channel => {
                    Some((scopes, since, until))
                }
                _ => None,
            })
            .collect();
        let [(scopes, since, until)] = closed[..] else { panic!("{closed:?}") };
        assert_eq!(scopes.as_slice(), channel.scopes());
        assert!(since.unix_micros().abs_diff(opened_at.unix_micros()) < 60_000_000 && since <= until);
    }
    let last_gap = items.iter().rposition(|item| matches!(item, VmsSocketItem::Continuity(_))).unwrap();
    let second = items.iter().position(|item| number_of(item) == Some(2)).unwrap();
    assert!(last_gap < second, "{items:#?}");
}

#[test]
fn the_users_channel_may_hide_anything_and_the_tokens_what_one_session_is_told() {
    assert_eq!(VmsChannel::User.scopes(), VmsResyncScope::ALL);
    for scope in [VmsResyncScope::Session, VmsResyncScope::Archives, VmsResyncScope::IntercomCalls] {
        assert!(VmsChannel::Token.scopes().contains(&scope), "{scope:?}");
    }
}

#[tokio::test]
async fn a_new_session_starts_fresh() {
    let (sandbox, session) = sandbox().await;
    let (api, delegate) = (api(&sandbox, &session), Recorder::new());
    api.set_delegate(&delegate);
    api.connect();
    delegate.wait_subscribed(1).await;
    api.disconnect();
    delegate.wait(|items| items.last().is_some_and(|last| is_state(last, ConnectionState::Disconnected))).await;
    api.connect();
    delegate.wait_subscribed(2).await;
    let items = delegate.items();
    assert!(continuities(&items).iter().all(|c| matches!(c, VmsContinuity::Fresh { .. })), "{items:#?}");
}

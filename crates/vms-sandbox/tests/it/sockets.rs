//! Telling sockets what to do, and seeing what became of them.

use std::time::Duration;

use vms_sandbox::{Ending, Profile, Sockets};

use crate::{
    clients::{End, PATIENCE, Ws},
    support::{first_session, join, start},
};

#[tokio::test]
async fn commands_select_sockets_by_session_and_by_user() {
    let sandbox = start(Profile::Pusher7).await;
    let session = first_session(&sandbox);
    let mut member = Ws::connect(&sandbox).await;
    join(&mut member, &sandbox, &session).await;
    let _stranger = Ws::connect(&sandbox).await;
    assert_eq!(sandbox.stall(&Sockets::Session("nobody".into())), 0);
    assert_eq!(sandbox.stall(&Sockets::User(43)), 0);
    assert_eq!(sandbox.resume(&Sockets::User(42)), 1);
    assert_eq!(sandbox.cut(&Sockets::Session(session.access_token_id)), 1);
    assert_eq!(member.end().await, End::Dropped);
    sandbox.wait_until(PATIENCE, |state| state.sockets.len() == 1).await.unwrap();
}

#[tokio::test]
async fn sockets_are_closed_pinged_reset_and_cut() {
    let sandbox = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&sandbox).await;
    assert_eq!(sandbox.ping(&Sockets::Latest).await, 1);
    assert_eq!(sandbox.close(&Sockets::Id(ws.socket_id.clone()), 4100, "full").await, 1);
    assert_eq!(ws.end().await, End::Closed(4100, "full".into()));
    let mut ws = Ws::connect(&sandbox).await;
    assert_eq!(sandbox.reset(&Sockets::All), 1);
    assert_eq!(ws.end().await, End::Dropped);
    let state = sandbox.wait_until(PATIENCE, |state| state.ended.len() == 2).await.unwrap();
    assert_eq!(state.ended[1].ending, Some(Ending::Cut));
}

#[tokio::test]
async fn waiting_for_what_does_not_come_tells_how_things_stand() {
    let sandbox = start(Profile::Pusher7).await;
    let waited = sandbox.wait_until(Duration::from_millis(20), |state| state.sockets_ever == 1).await;
    let error = waited.unwrap_err();
    assert_eq!(error.state.sockets_ever, 0);
}

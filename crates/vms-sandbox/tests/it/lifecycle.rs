//! Starting, stopping and starting again.

use tokio::net::{TcpListener, TcpStream};
use vms_sandbox::{
    Endpoint, Fault, FaultKind, Listening, Profile, RestAnswer, Sandbox, SandboxConfig, SandboxError, Sockets,
    UserConfig,
};

use crate::{
    clients::{End, PATIENCE, Ws, soon, try_http},
    support::{call, first_session, join, start},
};

/// R03: the server comes back where it was, with its sessions, but with no socket of before.
#[tokio::test]
async fn a_killed_sandbox_comes_back_on_the_same_port_with_its_sessions() {
    let sandbox = start(Profile::Pusher7).await;
    let (url, session) = (sandbox.base_url(), first_session(&sandbox));
    let mut ids = Vec::new();
    for _ in 0..20 {
        let mut ws = Ws::connect(&sandbox).await;
        join(&mut ws, &sandbox, &session).await;
        sandbox.kill().await;
        assert!(!sandbox.is_running());
        assert_eq!(ws.end().await, End::Dropped);
        assert!(sandbox.state().sockets.is_empty() && sandbox.state().channels.is_empty());
        let refused = TcpStream::connect(sandbox.local_addr()).await.unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        sandbox.restart().await.unwrap();
        ids.push(ws.socket_id);
    }
    assert_eq!(sandbox.base_url(), url);
    assert_eq!(call(&sandbox, "GET", "wsurl", &session.access_token, "").await.status, 200);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20, "a socket id came twice");
}

#[tokio::test]
async fn a_stopped_sandbox_can_be_restarted_and_a_running_one_too() {
    let sandbox = start(Profile::Pusher7).await;
    sandbox.stop().await;
    sandbox.restart().await.unwrap();
    let mut ws = Ws::connect(&sandbox).await;
    sandbox.restart().await.unwrap();
    assert_eq!(ws.end().await, End::Dropped);
    Ws::connect(&sandbox).await;
    assert!(sandbox.is_running());
}

/// A stop waits for nobody who will never be done.
#[tokio::test]
async fn stopping_is_not_held_up_by_silent_connections_hanging_requests_or_stalled_sockets() {
    let sandbox = start(Profile::Pusher7).await;
    let _stalled = Ws::connect(&sandbox).await;
    sandbox.stall(&Sockets::All);
    let answer = RestAnswer::Hang;
    sandbox.inject(Fault::once(FaultKind::Rest { endpoint: Endpoint::WsUrl, channel: None, answer }));
    let hanging = try_http(sandbox.local_addr(), "GET", "/api/v1/wsurl", &[], "");
    let stop = async {
        sandbox.wait_until(PATIENCE, |state| !state.requests.is_empty()).await.unwrap();
        sandbox.set_listening(Listening::Silent).await.unwrap();
        let _silent = TcpStream::connect(sandbox.local_addr()).await.unwrap();
        sandbox.stop().await;
    };
    let (answer, ()) = soon(async { tokio::join!(hanging, stop) }).await;
    assert!(answer.is_none());
    assert!(sandbox.state().sockets.is_empty());
}

/// I37 for the sandbox itself.
#[tokio::test]
async fn dropping_the_sandbox_ends_its_connections_and_frees_its_port() {
    let sandbox = start(Profile::Pusher7).await;
    let address = sandbox.local_addr();
    let mut ws = Ws::connect(&sandbox).await;
    drop(sandbox);
    assert_eq!(ws.end().await, End::Dropped);
    let bound = async {
        while TcpListener::bind(address).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon(bound).await;
}

#[tokio::test]
async fn settings_that_make_no_sense_are_named() {
    let start = async |config| Sandbox::start(config).await.unwrap_err().to_string();
    let config = SandboxConfig { app_key: "a/b".into(), ..SandboxConfig::default() };
    assert!(start(config).await.contains("`app_key`"));
    let config = SandboxConfig { app_secret: String::new(), ..SandboxConfig::default() };
    assert!(start(config).await.contains("`app_secret`"));
    let users = vec![UserConfig::new(1, "a", "a"), UserConfig::new(1, "b", "b")];
    let config = SandboxConfig { users, ..SandboxConfig::default() };
    assert!(start(config).await.contains("`users`"));
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bind = taken.local_addr().unwrap();
    let error = Sandbox::start(SandboxConfig { bind, ..SandboxConfig::default() }).await.unwrap_err();
    assert!(matches!(&error, SandboxError::Bind { address, .. } if *address == bind));
    assert!(error.to_string().contains(&bind.to_string()));
}

#[tokio::test]
async fn urls_name_the_host_that_was_configured() {
    let config = SandboxConfig { host: Some("localhost".into()), ..SandboxConfig::default() };
    let sandbox = Sandbox::start(config).await.unwrap();
    let port = sandbox.local_addr().port();
    assert_eq!(sandbox.base_url(), format!("http://localhost:{port}"));
    assert_eq!(sandbox.socket_url(), format!("ws://localhost:{port}/pusher"));
}

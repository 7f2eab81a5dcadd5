//! Starting, stopping, starting again, and not listening.

use std::{future::pending, sync::Arc, time::Duration};

use axum::{Router, routing::get};
use channels_sandbox::{Listening, Profile, Server, ServerConfig, ServerError, Sockets};
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
    sync::Notify,
    time::timeout,
};

use crate::{
    clients::{End, Ws, soon, try_http},
    support::start,
};

/// R03: the server comes back where it was, with no socket of before.
#[tokio::test]
async fn a_killed_server_comes_back_on_the_same_port() {
    let server = start(Profile::Pusher7).await;
    let url = server.base_url();
    let mut ids = Vec::new();
    for _ in 0..20 {
        let mut ws = Ws::connect(&server).await;
        ws.subscribe(&server, "private-x").await;
        server.kill().await;
        assert!(!server.is_running());
        assert_eq!(ws.end().await, End::Dropped);
        assert!(server.state().sockets.is_empty() && server.state().channels.is_empty());
        let refused = TcpStream::connect(server.local_addr()).await.unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        server.serve(Router::new()).await.unwrap();
        ids.push(ws.socket_id);
    }
    assert_eq!(server.base_url(), url);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20, "a socket id came twice");
}

#[tokio::test]
async fn a_stopped_server_can_serve_again_and_a_running_one_too() {
    let server = start(Profile::Pusher7).await;
    server.stop().await;
    server.serve(Router::new()).await.unwrap();
    let mut ws = Ws::connect(&server).await;
    server.serve(Router::new()).await.unwrap();
    assert_eq!(ws.end().await, End::Dropped);
    Ws::connect(&server).await;
    assert!(server.is_running());
}

/// A stop waits for nobody who will never be done.
#[tokio::test]
async fn stopping_is_not_held_up_by_silent_connections_hanging_requests_or_stalled_sockets() {
    let server = start(Profile::Pusher7).await;
    let asked = Arc::new(Notify::new());
    let on_request = Arc::clone(&asked);
    let hang = async move || {
        on_request.notify_one();
        pending::<()>().await;
    };
    server.serve(Router::new().route("/hang", get(hang))).await.unwrap();
    let _stalled = Ws::connect(&server).await;
    server.stall(&Sockets::All);
    let hanging = try_http(server.local_addr(), "GET", "/hang", &[], "");
    let stop = async {
        asked.notified().await;
        server.set_listening(Listening::Silent).await.unwrap();
        let _silent = TcpStream::connect(server.local_addr()).await.unwrap();
        server.stop().await;
    };
    let (answer, ()) = soon(async { tokio::join!(hanging, stop) }).await;
    assert!(answer.is_none());
    assert!(server.state().sockets.is_empty());
}

/// I37 for the server itself.
#[tokio::test]
async fn dropping_the_server_ends_its_connections_and_frees_its_port() {
    let server = start(Profile::Pusher7).await;
    let address = server.local_addr();
    let mut ws = Ws::connect(&server).await;
    drop(server);
    assert_eq!(ws.end().await, End::Dropped);
    let bound = async {
        while TcpListener::bind(address).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon(bound).await;
}

/// N06, N07
#[tokio::test]
async fn new_connections_can_be_refused_or_left_in_silence_while_live_ones_go_on() {
    let server = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&server).await;
    server.set_listening(Listening::Refuse).await.unwrap();
    let refused = TcpStream::connect(server.local_addr()).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    ws.round_trip().await;
    server.set_listening(Listening::Silent).await.unwrap();
    let mut silent = TcpStream::connect(server.local_addr()).await.unwrap();
    let mut byte = [0];
    assert!(timeout(Duration::from_millis(200), silent.read(&mut byte)).await.is_err());
    ws.round_trip().await;
    server.set_listening(Listening::Serve).await.unwrap();
    Ws::connect(&server).await.round_trip().await;
}

#[tokio::test]
async fn settings_that_make_no_sense_are_named() {
    let start = async |config| Server::start(config).await.unwrap_err().to_string();
    let config = ServerConfig { app_key: "a/b".into(), ..ServerConfig::default() };
    assert!(start(config).await.contains("`app_key`"));
    let config = ServerConfig { app_secret: String::new(), ..ServerConfig::default() };
    assert!(start(config).await.contains("`app_secret`"));
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bind = taken.local_addr().unwrap();
    let error = Server::start(ServerConfig { bind, ..ServerConfig::default() }).await.unwrap_err();
    assert!(matches!(&error, ServerError::Bind { address, .. } if *address == bind));
    assert!(error.to_string().contains(&bind.to_string()));
}

#[tokio::test]
async fn urls_name_the_host_that_was_configured() {
    let config = ServerConfig { host: Some("localhost".into()), ..ServerConfig::default() };
    let server = Server::start(config).await.unwrap();
    let port = server.local_addr().port();
    assert_eq!(server.base_url(), format!("http://localhost:{port}"));
    assert_eq!(server.socket_url(), format!("ws://localhost:{port}/pusher"));
}

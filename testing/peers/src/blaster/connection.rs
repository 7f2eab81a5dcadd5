use std::sync::Arc;

use anyhow::Result;
use rustls::{HandshakeKind, ServerConfig};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::http::{Request, authorization, take_request};
use super::presence;
use super::registry::{Registry, Session};
use crate::websocket::{Opcode, server_frame, switching_protocols, take_client_frame};

/// Accepts until it is aborted.
pub(super) async fn accept(listener: TcpListener, tls: Option<Arc<ServerConfig>>, registry: Arc<Registry>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors: connections that end make room.
            tokio::task::yield_now().await;
            continue;
        };
        let id = registry.new_id();
        let (tls, registry_of_task) = (tls.clone(), Arc::clone(&registry));
        let task = tokio::task::spawn(async move {
            // A client that goes away is none of the server's business.
            let _ = serve(stream, tls, id, &registry_of_task).await;
            registry_of_task.end(id);
        });
        registry.begin(id, task.abort_handle());
    }
}

async fn serve(stream: TcpStream, tls: Option<Arc<ServerConfig>>, id: u64, registry: &Registry) -> Result<()> {
    stream.set_nodelay(true)?;
    let Some(tls) = tls else { return serve_http(stream, id, registry).await };
    let stream = TlsAcceptor::from(tls).accept(stream).await?;
    if stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed) {
        registry.count_resumed();
    }
    serve_http(stream, id, registry).await
}

async fn serve_http<S>(mut stream: S, id: u64, registry: &Registry) -> Result<()>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut buffer = Vec::new();
    loop {
        match take_request(&mut buffer) {
            Some(Request::Upgrade { key }) => {
                let mut answer = switching_protocols(&key).into_bytes();
                answer.extend(text(&json!({
                    "event": "pusher:connection_established",
                    "data": json!({ "socket_id": format!("1.{id}"), "activity_timeout": 120 }).to_string(),
                })));
                stream.write_all(&answer).await?;
                stream.flush().await?;
                let (reader, writer) = tokio::io::split(stream);
                return serve_websocket(reader, writer, buffer, id, registry).await;
            }
            Some(Request::Authorization { closes, as_member }) => {
                stream.write_all(authorization(as_member).as_bytes()).await?;
                stream.flush().await?;
                if closes {
                    return Ok(stream.shutdown().await?);
                }
            }
            None if stream.read_buf(&mut buffer).await? == 0 => return Ok(()),
            None => {}
        }
    }
}

async fn serve_websocket<S>(
    mut reader: ReadHalf<S>,
    writer: WriteHalf<S>,
    mut buffer: Vec<u8>,
    id: u64,
    registry: &Registry,
) -> Result<()>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let session = Arc::new(Session::new(writer));
    registry.upgrade(id, &session);
    loop {
        while let Some(frame) = take_client_frame(&mut buffer) {
            match frame.opcode {
                Some(Opcode::Text) => answer(&session, &frame.payload, registry).await?,
                Some(Opcode::Ping) => {
                    registry.count_ping();
                    session.write(&server_frame(Opcode::Pong, &frame.payload)).await?;
                }
                Some(Opcode::Close) => return session.write(&server_frame(Opcode::Close, &frame.payload)).await,
                Some(Opcode::Pong) | None => {}
            }
        }
        if reader.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
    }
}

async fn answer(session: &Session, payload: &[u8], registry: &Registry) -> Result<()> {
    let message: Value = serde_json::from_slice(payload)?;
    match message["event"].as_str() {
        Some("pusher:subscribe") => {
            let channel = &message["data"]["channel"];
            let is_presence = channel.as_str().is_some_and(|name| name.starts_with("presence-"));
            let data = if is_presence { presence::members() } else { "{}".to_owned() };
            let event = "pusher_internal:subscription_succeeded";
            session.write(&text(&json!({ "event": event, "channel": channel, "data": data }))).await?;
            registry.acknowledge();
        }
        Some("pusher:ping") => {
            registry.count_ping();
            session.write(&text(&json!({ "event": "pusher:pong", "data": "{}" }))).await?;
        }
        _ => {}
    }
    Ok(())
}

fn text(message: &Value) -> Vec<u8> {
    server_frame(Opcode::Text, message.to_string().as_bytes())
}

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        handshake::derive_accept_key,
        protocol::{CloseFrame, Role},
    },
};

use super::{soon, unheard};

/// A server of which the test plays every part.
pub struct Listener {
    listener: TcpListener,
}

/// An accepted connection of which only bytes are known.
pub struct Raw<S = TcpStream> {
    pub stream: S,
}

/// An accepted connection after its WebSocket upgrade.
pub struct Peer<S = TcpStream> {
    pub socket: WebSocketStream<S>,
    /// The upgrade request.
    pub request: String,
}

impl Listener {
    pub async fn bind() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    pub fn socket_url(&self) -> String {
        format!("ws://{}/pusher/", self.address())
    }

    pub fn http_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    pub async fn accept(&self) -> Raw {
        let (stream, _) = soon("a connection", self.listener.accept()).await.unwrap();
        Raw { stream }
    }

    /// Returns whether a connection is waiting to be accepted, or comes within the time given.
    pub async fn is_dialed_within(&self, time: std::time::Duration) -> bool {
        tokio::time::timeout(time, self.listener.accept()).await.is_ok()
    }

    /// Accepts, upgrades and establishes as `socket_id`.
    pub async fn establish(&self, socket_id: &str) -> Peer {
        let mut peer = self.accept().await.upgrade().await;
        peer.establish(socket_id).await;
        peer
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Raw<S> {
    /// Reads until the end of a header.
    pub async fn read_head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(soon("a header", self.stream.read_u8()).await.unwrap());
        }
        String::from_utf8(head).unwrap()
    }

    /// Reads so many bytes.
    pub async fn read_bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        soon("bytes", self.stream.read_exact(&mut bytes)).await.unwrap();
        bytes
    }

    /// Reads one request: its header, and the body by its `Content-Length`.
    pub async fn read_request(&mut self) -> (String, String) {
        let head = self.read_head().await;
        let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        soon("a body", self.stream.read_exact(&mut body)).await.unwrap();
        (head, String::from_utf8(body).unwrap())
    }

    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    pub async fn answer(&mut self, status: &str, headers: &str, body: &str) {
        let length = body.len();
        self.write(format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n{body}")).await;
    }

    /// Returns whether the other side hangs up before it sends anything.
    pub async fn is_hung_up(&mut self) -> bool {
        soon("the end of the connection", self.stream.read_u8()).await.is_err()
    }

    pub async fn upgrade(mut self) -> Peer<S> {
        let request = self.read_head().await;
        // The client may be gone by now.
        let _ = self.stream.write_all(switching(&request).as_bytes()).await;
        Peer::upgraded(self.stream, request).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    /// The peer on a stream that has been upgraded.
    pub async fn upgraded(stream: S, request: String) -> Self {
        let socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
        Self { socket, request }
    }

    pub async fn text(&mut self, text: impl Into<String>) {
        unheard(self.socket.send(Message::text(text.into()))).await.unwrap();
    }

    /// Sends to a client that may be gone.
    pub async fn try_text(&mut self, text: String) {
        let _ = unheard(self.socket.send(Message::text(text))).await;
    }

    pub async fn json(&mut self, message: Value) {
        self.text(message.to_string()).await;
    }

    pub async fn establish(&mut self, socket_id: &str) {
        self.text(established(socket_id)).await;
    }

    pub async fn acknowledge(&mut self, channel: &str) {
        self.json(json!({"event": "pusher_internal:subscription_succeeded", "channel": channel, "data": "{}"})).await;
    }

    pub async fn event(&mut self, channel: &str, name: &str, data: Value) {
        self.json(json!({"event": name, "channel": channel, "data": data.to_string()})).await;
    }

    /// Returns the next message of the client; none when it closed.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            match soon("a message of the client", unheard(self.socket.next())).await? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Takes the next message, which must be a subscribe, and returns its channel and signature.
    pub async fn subscribe(&mut self) -> (String, Option<String>) {
        let message = self.next().await.expect("a subscribe");
        assert_eq!(message["event"], "pusher:subscribe", "{message}");
        let data = &message["data"];
        (data["channel"].as_str().unwrap().to_owned(), data["auth"].as_str().map(str::to_owned))
    }

    /// Takes and acknowledges `count` subscribes.
    pub async fn acknowledge_all(&mut self, count: usize) {
        for _ in 0..count {
            let (channel, _) = self.subscribe().await;
            self.acknowledge(&channel).await;
        }
    }

    pub async fn close(&mut self, code: u16, reason: &str) {
        let frame = CloseFrame { code: code.into(), reason: reason.to_owned().into() };
        unheard(self.socket.send(Message::Close(Some(frame)))).await.unwrap();
    }

    /// Waits for the client's close frame and returns its code; none when it just hung up.
    pub async fn closed(&mut self) -> Option<u16> {
        loop {
            match soon("the client's close", unheard(self.socket.next())).await {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }
}

/// The answer that accepts an upgrade.
pub fn switching(request: &str) -> String {
    let key = header(request, "sec-websocket-key").expect("a key");
    let accept = derive_accept_key(key.as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    )
}

pub fn established(socket_id: &str) -> String {
    let data = json!({"socket_id": socket_id, "activity_timeout": 120}).to_string();
    json!({"event": "pusher:connection_established", "data": data}).to_string()
}

/// A server's text frame.
pub fn frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match text.len() {
        length @ 0..126 => frame.push(length as u8),
        length @ 126..65_536 => {
            frame.push(126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            frame.push(127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(text.as_bytes());
    frame
}

/// Returns a header of `head`, whatever the case of its name.
pub fn header(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

//! A WebSocket client that is not ours, one that is made of bytes, and a small HTTP client.

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, protocol::frame::coding::CloseCode},
};
use vms_sandbox::{Profile, RawData, RawPush, Sandbox, SandboxConfig, Session, Timing};

/// Long enough for the slowest machine; reached only by a test that fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub async fn start(profile: Profile) -> Sandbox {
    Sandbox::start(SandboxConfig::with_profile(profile)).await.unwrap()
}

/// A sandbox that pings after a moment's silence and waits for the answer as long as it takes.
pub async fn start_pinging(profile: Profile) -> Sandbox {
    let timing = Timing { ping_after: Duration::from_millis(50), pong_timeout: PATIENCE, ..Timing::of(profile) };
    let config = SandboxConfig { timing: Some(timing), ..SandboxConfig::with_profile(profile) };
    Sandbox::start(config).await.unwrap()
}

/// A sandbox whose silences are as short as `activity_timeout`.
pub async fn start_hasty(profile: Profile, activity_timeout: Duration) -> Sandbox {
    let timing = Timing::of(profile).with_activity_timeout(activity_timeout);
    let config = SandboxConfig { timing: Some(timing), ..SandboxConfig::with_profile(profile) };
    Sandbox::start(config).await.unwrap()
}

pub fn first_session(sandbox: &Sandbox) -> Session {
    sandbox.sessions().remove(0)
}

pub async fn soon<F: Future>(future: F) -> F::Output {
    timeout(PATIENCE, future).await.expect("it takes too long")
}

/// Publishes `data` on a public channel under the event name `x`.
pub async fn publish(sandbox: &Sandbox, channel: &str, data: &str) {
    let data = RawData::Text(data.to_owned());
    let push = RawPush { channel: channel.into(), event: "x".into(), data, except: None };
    sandbox.push_raw(push).await;
}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// With a close frame.
    Closed(u16, String),
    /// Without one.
    Dropped,
}

pub struct Ws {
    stream: WebSocketStream<TcpStream>,
    pub socket_id: String,
    /// The greeting as it came.
    pub greeting: String,
}

impl Ws {
    pub async fn connect(sandbox: &Sandbox) -> Self {
        let mut ws = Self::open(sandbox, &format!("/pusher/app/{}?protocol=7", sandbox.app_key())).await;
        ws.greeting = ws.text().await;
        let greeting: Value = serde_json::from_str(&ws.greeting).unwrap();
        assert_eq!(greeting["event"], "pusher:connection_established");
        let data: Value = serde_json::from_str(greeting["data"].as_str().unwrap()).unwrap();
        data["socket_id"].as_str().unwrap().clone_into(&mut ws.socket_id);
        ws
    }

    /// Upgrades without waiting for a greeting.
    pub async fn open(sandbox: &Sandbox, path: &str) -> Self {
        Self::try_open(sandbox, path).await.unwrap()
    }

    pub async fn try_open(sandbox: &Sandbox, path: &str) -> Result<Self, Error> {
        let tcp = TcpStream::connect(sandbox.local_addr()).await.unwrap();
        let (stream, _) = soon(Box::pin(client_async(format!("ws://sandbox{path}"), tcp))).await?;
        Ok(Self { stream, socket_id: String::new(), greeting: String::new() })
    }

    pub async fn send(&mut self, text: &str) {
        self.send_message(Message::text(text)).await;
    }

    pub async fn send_message(&mut self, message: Message) {
        soon(self.stream.send(message)).await.unwrap();
    }

    pub async fn message(&mut self) -> Message {
        soon(self.stream.next()).await.expect("the socket ended").unwrap()
    }

    /// The next text frame, whatever comes before it.
    pub async fn text(&mut self) -> String {
        loop {
            match self.message().await {
                Message::Text(text) => return text.to_string(),
                Message::Close(frame) => panic!("closed with {frame:?}"),
                _ => {}
            }
        }
    }

    /// The next event; nothing when the connection ended.
    pub async fn try_event(&mut self) -> Option<Value> {
        loop {
            match soon(self.stream.next()).await? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(text.as_str()).unwrap()),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }

    pub async fn event(&mut self) -> Value {
        serde_json::from_str(&self.text().await).unwrap()
    }

    pub async fn subscribe_unsigned(&mut self, channel: &str) {
        let subscribe = json!({"event": "pusher:subscribe", "data": {"channel": channel}});
        self.send(&subscribe.to_string()).await;
    }

    pub async fn subscribe_with(&mut self, channel: &str, auth: &str) {
        let subscribe = json!({"event": "pusher:subscribe", "data": {"channel": channel, "auth": auth}});
        self.send(&subscribe.to_string()).await;
    }

    /// Subscribes with the right signature; returns the acknowledgement as it came.
    pub async fn subscribe(&mut self, sandbox: &Sandbox, channel: &str) -> String {
        self.subscribe_with(channel, &sandbox.sign(&self.socket_id, channel)).await;
        let text = self.text().await;
        assert!(text.contains("subscription_succeeded"), "{text}");
        text
    }

    /// Subscribes to both channels of a session.
    pub async fn join(&mut self, sandbox: &Sandbox, session: &Session) {
        self.subscribe(sandbox, &session.token_channel()).await;
        self.subscribe(sandbox, &session.user_channel()).await;
    }

    /// Sends `pusher:ping` and takes its pong, which shows that everything before it was handled.
    pub async fn round_trip(&mut self) {
        self.send(r#"{"event":"pusher:ping","data":{}}"#).await;
        assert_eq!(self.event().await["event"], "pusher:pong");
    }

    /// Reads on until the connection ends.
    pub async fn end(&mut self) -> End {
        let mut end = End::Dropped;
        while let Some(Ok(message)) = soon(self.stream.next()).await {
            if let Message::Close(frame) = message {
                end = frame.map_or(End::Dropped, |frame| End::Closed(frame.code.into(), frame.reason.to_string()));
            }
        }
        end
    }

    pub async fn close(&mut self, code: u16) {
        let frame =
            tokio_tungstenite::tungstenite::protocol::CloseFrame { code: CloseCode::from(code), reason: "bye".into() };
        self.send_message(Message::Close(Some(frame))).await;
    }
}

/// A connection of bytes: for requests and frames that no library would send.
pub struct Raw {
    pub tcp: TcpStream,
    buffer: Vec<u8>,
}

impl Raw {
    pub async fn connect(sandbox: &Sandbox) -> Self {
        Self { tcp: TcpStream::connect(sandbox.local_addr()).await.unwrap(), buffer: Vec::new() }
    }

    /// Upgrades and takes the greeting off.
    pub async fn greeted(sandbox: &Sandbox) -> Self {
        let mut raw = Self::connect(sandbox).await;
        raw.write(upgrade_request(sandbox.app_key(), "Upgrade").as_bytes()).await;
        let head = raw.head().await;
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        let (opcode, payload) = raw.frame().await.unwrap();
        assert!(opcode == 1 && String::from_utf8_lossy(&payload).contains("connection_established"));
        raw
    }

    pub async fn write(&mut self, bytes: &[u8]) {
        soon(self.tcp.write_all(bytes)).await.unwrap();
    }

    /// Sends a frame: the first byte as it stands, masked unless told otherwise.
    pub async fn send(&mut self, first_byte: u8, payload: &[u8], masked: bool) {
        let mut bytes = vec![first_byte];
        let mask_bit = if masked { 0x80 } else { 0 };
        match payload.len() {
            length @ 0..126 => bytes.push(mask_bit | u8::try_from(length).unwrap()),
            length if length <= 0xffff => {
                bytes.push(mask_bit | 126);
                bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            length => {
                bytes.push(mask_bit | 127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        if masked {
            bytes.extend([1, 2, 3, 4]);
            bytes.extend(payload.iter().zip([1, 2, 3, 4].iter().cycle()).map(|(byte, mask)| byte ^ mask));
        } else {
            bytes.extend(payload);
        }
        self.write(&bytes).await;
    }

    /// The head of the response.
    pub async fn head(&mut self) -> String {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = self.buffer.drain(..end + 4).collect();
                return String::from_utf8(head).unwrap();
            }
            assert!(self.fill().await, "the connection ended in {:?}", String::from_utf8_lossy(&self.buffer));
        }
    }

    /// What has come beyond the head that was read last.
    pub fn buffered(&self) -> &[u8] {
        &self.buffer
    }

    /// Reads once; false at the end.
    pub async fn fill(&mut self) -> bool {
        self.buffer.reserve(65_536);
        soon(self.tcp.read_buf(&mut self.buffer)).await.unwrap_or(0) > 0
    }

    /// The next frame; nothing when the connection ended.
    pub async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let Some((first, length, start)) = frame_header(&self.buffer)
                && self.buffer.len() >= start + length
            {
                let payload = self.buffer[start..start + length].to_vec();
                self.buffer.drain(..start + length);
                return Some((first & 0x0f, payload));
            }
            if !self.fill().await {
                return None;
            }
        }
    }

    /// The next frame's text.
    pub async fn text(&mut self) -> String {
        let (opcode, payload) = self.frame().await.expect("the connection ended");
        assert_eq!(opcode, 1, "{payload:?}");
        String::from_utf8(payload).unwrap()
    }

    /// Reads on until the connection ends.
    pub async fn end(&mut self) -> End {
        let mut end = End::Dropped;
        while let Some((opcode, payload)) = self.frame().await {
            if opcode == 8 {
                let code = u16::from_be_bytes([payload[0], payload[1]]);
                end = End::Closed(code, String::from_utf8_lossy(&payload[2..]).into_owned());
            }
        }
        end
    }
}

fn frame_header(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    assert_eq!(second & 0x80, 0, "a server must not mask");
    match second {
        126 => Some((first, usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?])), 4)),
        127 => {
            let length: [u8; 8] = bytes.get(2..10)?.try_into().unwrap();
            Some((first, usize::try_from(u64::from_be_bytes(length)).unwrap(), 10))
        }
        length => Some((first, usize::from(length), 2)),
    }
}

pub fn upgrade_request(key: &str, connection: &str) -> String {
    format!(
        "GET /pusher/app/{key}?client=test&version=1.0.0&protocol=7 HTTP/1.1\r\nHost: sandbox\r\n\
         Upgrade: websocket\r\nConnection: {connection}\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let line = |line: &'_ str| line.split_once(": ").is_some_and(|(key, _)| key.eq_ignore_ascii_case(name));
        self.head.lines().find(|text| line(text)).and_then(|text| text.split_once(": ")).map(|(_, value)| value)
    }
}

pub async fn http(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    try_http(address, method, path, headers, body).await.expect("the connection ended without an answer")
}

/// Nothing when the connection ends without an answer.
pub async fn try_http(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Option<Answer> {
    let host = address.to_string();
    let headers: Vec<_> = [("Host", host.as_str())].iter().chain(headers).copied().collect();
    try_http_without_host(address, method, path, &headers, body).await
}

/// With no header but those given and the needed ones.
pub async fn try_http_without_host(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Option<Answer> {
    let mut tcp = TcpStream::connect(address).await.unwrap();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    let request =
        format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
    soon(tcp.write_all(request.as_bytes())).await.unwrap();
    let mut answer = Vec::new();
    soon(tcp.read_to_end(&mut answer)).await.ok()?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, head: head.to_owned(), body: body.to_owned() })
}

/// A REST call with a bearer.
pub async fn call(sandbox: &Sandbox, method: &str, path: &str, token: &str, body: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    http(sandbox.local_addr(), method, &format!("/api/v1/{path}"), &headers, body).await
}

/// `POST broadcasting/auth` as a client makes it.
pub async fn authorize(sandbox: &Sandbox, token: &str, socket_id: &str, channel: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/x-www-form-urlencoded")];
    let body = format!("socket_id={socket_id}&channel_name={channel}");
    http(sandbox.local_addr(), "POST", "/api/v1/broadcasting/auth", &headers, &body).await
}

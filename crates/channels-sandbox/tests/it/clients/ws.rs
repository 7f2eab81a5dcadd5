//! A WebSocket client that is not ours.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, protocol::frame::coding::CloseCode},
};

use super::{End, Served, soon};

pub struct Ws {
    stream: WebSocketStream<TcpStream>,
    pub socket_id: String,
    /// The greeting as it came.
    pub greeting: String,
}

impl Ws {
    pub async fn connect(server: &impl Served) -> Self {
        let mut ws = Self::open(server, &format!("/pusher/app/{}?protocol=7", server.key())).await;
        ws.greeting = ws.text().await;
        let greeting: Value = serde_json::from_str(&ws.greeting).unwrap();
        assert_eq!(greeting["event"], "pusher:connection_established");
        let data: Value = serde_json::from_str(greeting["data"].as_str().unwrap()).unwrap();
        data["socket_id"].as_str().unwrap().clone_into(&mut ws.socket_id);
        ws
    }

    /// Upgrades without waiting for a greeting.
    pub async fn open(server: &impl Served, path: &str) -> Self {
        Self::try_open(server, path).await.unwrap()
    }

    pub async fn try_open(server: &impl Served, path: &str) -> Result<Self, Error> {
        let tcp = TcpStream::connect(server.address()).await.unwrap();
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
    pub async fn subscribe(&mut self, server: &impl Served, channel: &str) -> String {
        self.subscribe_with(channel, &server.sign(&self.socket_id, channel)).await;
        let text = self.text().await;
        assert!(text.contains("subscription_succeeded"), "{text}");
        text
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

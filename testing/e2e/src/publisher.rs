//! Publishing over the signed HTTP interface of Pusher servers.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use md5::{Digest as _, Md5};
use serde_json::json;
use sha2::Sha256;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::clock;

/// How long a server may take to answer one request.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// An application as a Pusher server knows it.
#[derive(Debug, Clone)]
pub struct App {
    /// Names the app in HTTP requests.
    pub id: String,
    /// Names the app in WebSocket URLs.
    pub key: String,
    /// Signs both.
    pub secret: String,
}

/// Why an event was not, or perhaps not, published.
#[derive(Debug)]
pub enum PublishError {
    /// The server answered, and refused.
    Refused(StatusCode, String),
    /// The connection broke or never was; the event may have gone out.
    Unreachable(String),
}

/// Sends events to one server over one kept-alive connection.
#[derive(Debug)]
pub struct Publisher {
    address: SocketAddr,
    app: App,
    connection: Option<SendRequest<Full<Bytes>>>,
    tasks: JoinSet<()>,
}

impl Publisher {
    /// A publisher to the server at this address.
    #[must_use]
    pub fn new(address: SocketAddr, app: App) -> Self {
        Self { address, app, connection: None, tasks: JoinSet::new() }
    }

    /// Publishes `data`, a JSON text, the way server libraries do: as a string inside the message.
    ///
    /// # Errors
    /// [`PublishError::Refused`] when the server says no, [`PublishError::Unreachable`] when it says nothing.
    pub async fn publish(&mut self, channel: &str, event: &str, data: &str) -> Result<(), PublishError> {
        let body = json!({"name": event, "channel": channel, "data": data}).to_string();
        let answer = tokio::time::timeout(ANSWER_LIMIT, self.post("events", body)).await;
        let answer = answer.unwrap_or_else(|_| Err(PublishError::Unreachable("no answer in time".to_owned())));
        if answer.is_err() {
            self.connection = None;
        }
        answer
    }

    async fn post(&mut self, resource: &str, body: String) -> Result<(), PublishError> {
        let path = format!("/apps/{}/{resource}", self.app.id);
        let request = Request::post(format!("{path}?{}", self.query(&path, &body)))
            .header("host", self.address.to_string())
            .header("content-type", "application/json")
            .body(Full::from(body))
            .expect("a valid request");
        let answer = self.connection().await?.send_request(request).await.map_err(unreachable)?;
        let status = answer.status();
        let text = answer.into_body().collect().await.map_err(unreachable)?.to_bytes();
        if status.is_success() {
            return Ok(());
        }
        Err(PublishError::Refused(status, String::from_utf8_lossy(&text).into_owned()))
    }

    async fn connection(&mut self) -> Result<&mut SendRequest<Full<Bytes>>, PublishError> {
        let mut kept = self.connection.take();
        if let Some(connection) = &mut kept
            && connection.ready().await.is_err()
        {
            kept = None;
        }
        let connection = match kept {
            Some(connection) => connection,
            None => self.open().await?,
        };
        Ok(self.connection.insert(connection))
    }

    async fn open(&mut self) -> Result<SendRequest<Full<Bytes>>, PublishError> {
        let socket = TcpStream::connect(self.address).await.map_err(unreachable)?;
        let (sender, connection) = handshake(TokioIo::new(socket)).await.map_err(unreachable)?;
        self.tasks.spawn(async {
            // An error here reaches the waiting request as well.
            let _ = connection.await;
        });
        Ok(sender)
    }

    /// The query with its signature: HMAC-SHA256 over method, path and the query so far, in hex.
    fn query(&self, path: &str, body: &str) -> String {
        let seconds = clock::wall_clock().duration_since(UNIX_EPOCH).expect("a date after 1970").as_secs();
        let sum = hex(&Md5::digest(body));
        let query = format!("auth_key={}&auth_timestamp={seconds}&auth_version=1.0&body_md5={sum}", self.app.key);
        let mut mac = Hmac::<Sha256>::new_from_slice(self.app.secret.as_bytes()).expect("a key of any length");
        mac.update(format!("POST\n{path}\n{query}").as_bytes());
        format!("{query}&auth_signature={}", hex(&mac.finalize().into_bytes()))
    }
}

fn unreachable(error: impl std::error::Error) -> PublishError {
    PublishError::Unreachable(error.to_string())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all");
        text
    })
}

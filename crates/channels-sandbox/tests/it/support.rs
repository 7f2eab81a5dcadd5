//! Servers to test.

use std::{net::SocketAddr, time::Duration};

use channels_sandbox::{Profile, RawData, RawPush, Server, ServerConfig, Timing};

use serde_json::{Value, json};

use crate::clients::{PATIENCE, Served, Ws};

impl Served for Server {
    fn address(&self) -> SocketAddr {
        self.local_addr()
    }

    fn key(&self) -> &str {
        &self.app().key
    }

    fn sign(&self, socket_id: &str, channel: &str) -> String {
        self.app().authorize(socket_id, channel, None)
    }
}

pub async fn start(profile: Profile) -> Server {
    Server::start(ServerConfig::with_profile(profile)).await.unwrap()
}

/// A server that pings after a moment's silence and waits for the answer as long as it takes.
pub async fn start_pinging(profile: Profile) -> Server {
    let timing = Timing { ping_after: Duration::from_millis(50), pong_timeout: PATIENCE, ..Timing::of(profile) };
    let config = ServerConfig { timing: Some(timing), ..ServerConfig::with_profile(profile) };
    Server::start(config).await.unwrap()
}

/// A server whose silences are as short as `activity_timeout`.
pub async fn start_hasty(profile: Profile, activity_timeout: Duration) -> Server {
    let timing = Timing::of(profile).with_activity_timeout(activity_timeout);
    let config = ServerConfig { timing: Some(timing), ..ServerConfig::with_profile(profile) };
    Server::start(config).await.unwrap()
}

/// Publishes `data` on a public channel under the event name `x`.
pub async fn publish(server: &Server, channel: &str, data: &str) {
    let data = RawData::Text(data.to_owned());
    server.publish(RawPush { channel: channel.into(), event: "x".into(), data, except: None }).await;
}

/// Subscribes to a presence channel as this user.
pub async fn join(ws: &mut Ws, server: &Server, channel: &str, channel_data: &str) {
    let auth = server.app().authorize(&ws.socket_id, channel, Some(channel_data));
    let data = json!({"channel": channel, "auth": auth, "channel_data": channel_data});
    ws.send(&json!({"event": "pusher:subscribe", "data": data}).to_string()).await;
}

/// Signs in with these user data.
pub async fn sign_in(ws: &mut Ws, server: &Server, user_data: &str) {
    let auth = server.app().authenticate_user(&ws.socket_id, user_data);
    let data = json!({"auth": auth, "user_data": user_data});
    ws.send(&json!({"event": "pusher:signin", "data": data}).to_string()).await;
}

/// The JSON in the string that is the data of an event.
pub fn inner(event: &Value) -> Value {
    serde_json::from_str(event["data"].as_str().unwrap_or_else(|| panic!("no string: {event}"))).unwrap()
}

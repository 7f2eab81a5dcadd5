//! Servers to test.

use std::{net::SocketAddr, time::Duration};

use channels_sandbox::{Profile, RawData, RawPush, Server, ServerConfig, Timing};

use crate::clients::{PATIENCE, Served};

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

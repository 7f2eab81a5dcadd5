//! Sandboxes to test, and what a client of a VMS asks of them.

use std::net::SocketAddr;

use vms_sandbox::{Profile, Sandbox, SandboxConfig, Session};

use crate::clients::{Answer, Served, Ws, http};

impl Served for Sandbox {
    fn address(&self) -> SocketAddr {
        self.local_addr()
    }

    fn key(&self) -> &str {
        self.app_key()
    }

    fn sign(&self, socket_id: &str, channel: &str) -> String {
        self.sign(socket_id, channel)
    }
}

pub async fn start(profile: Profile) -> Sandbox {
    Sandbox::start(SandboxConfig::with_profile(profile)).await.unwrap()
}

pub fn first_session(sandbox: &Sandbox) -> Session {
    sandbox.sessions().remove(0)
}

/// Subscribes to both channels of a session.
pub async fn join(ws: &mut Ws, sandbox: &Sandbox, session: &Session) {
    ws.subscribe(sandbox, &session.token_channel()).await;
    ws.subscribe(sandbox, &session.user_channel()).await;
}

/// A REST call with a bearer.
pub async fn call(sandbox: &Sandbox, method: &str, path: &str, token: &str, body: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("Accept", JSON), ("Authorization", bearer.as_str()), ("Content-Type", JSON)];
    http(sandbox.local_addr(), method, &format!("/api/v1/{path}"), &headers, body).await
}

/// `POST broadcasting/auth` as a client makes it.
pub async fn authorize(sandbox: &Sandbox, token: &str, socket_id: &str, channel: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    let form = "application/x-www-form-urlencoded";
    let headers = [("Accept", JSON), ("Authorization", bearer.as_str()), ("Content-Type", form)];
    let body = format!("socket_id={socket_id}&channel_name={channel}");
    http(sandbox.local_addr(), "POST", "/api/v1/broadcasting/auth", &headers, &body).await
}

const JSON: &str = "application/json";

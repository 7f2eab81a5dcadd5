//! What a server library does: it signs requests and sends them.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{SystemTime, UNIX_EPOCH},
};

use channels_sandbox::Server;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use serde_json::Value;
use sha2::Sha256;

use crate::clients::{Answer, Served as _, http};

#[derive(Clone, Debug)]
pub struct Library {
    pub address: SocketAddr,
    pub app_id: String,
    pub key: String,
    pub secret: String,
    /// When its requests are signed, in seconds since 1970.
    pub seconds: u64,
}

impl Library {
    /// A library that is set up for the server, and whose clock is right.
    #[expect(clippy::disallowed_methods, reason = "the server looks at the clock of the machine")]
    pub fn of(server: &Server) -> Self {
        let app = server.app().clone();
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        Self { address: server.address(), app_id: app.id, key: app.key, secret: app.secret, seconds }
    }

    pub async fn post(&self, resource: &str, body: &Value) -> Answer {
        self.send("POST", resource, &[], &body.to_string()).await
    }

    pub async fn get(&self, resource: &str, query: &[(&str, &str)]) -> Answer {
        self.send("GET", resource, query, "").await
    }

    async fn send(&self, method: &str, resource: &str, query: &[(&str, &str)], body: &str) -> Answer {
        let path = format!("/apps/{}/{resource}", self.app_id);
        let mut parameters: BTreeMap<&str, String> =
            query.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        parameters.insert("auth_key", self.key.clone());
        parameters.insert("auth_timestamp", self.seconds.to_string());
        parameters.insert("auth_version", "1.0".to_owned());
        if !body.is_empty() {
            parameters.insert("body_md5", hex(&Md5::digest(body)));
        }
        let pairs: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let query = pairs.join("&");
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).unwrap();
        mac.update(format!("{method}\n{path}\n{query}").as_bytes());
        let signature = hex(&mac.finalize().into_bytes());
        http(self.address, method, &format!("{path}?{query}&auth_signature={signature}"), &[], body).await
    }
}

impl Answer {
    /// This answer, which must have the status.
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

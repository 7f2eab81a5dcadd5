//! Where clients meet: a sandbox, or Sockudo with a sandbox beside it that authorizes.

use std::net::SocketAddr;
use std::sync::Arc;

use channels_client::Client;
use channels_sandbox::{Profile, Server, ServerConfig};
use serde_json::{Value, json};

use crate::publisher::App;
use crate::pusher_js::PusherJs;
use crate::server_library::{LibraryAuthorizer, MASTER_KEY, ServerLibrary};
use crate::sockudo::SockudoServer;

/// A server, and who authorizes for it.
#[derive(Debug)]
pub struct Place {
    /// What it is, for messages.
    pub name: String,
    /// Serves the sockets if there is no Sockudo, and the endpoint for pusher-js.
    pub sandbox: Server,
    sockudo: Option<SockudoServer>,
}

impl Place {
    /// A sandbox with this profile.
    pub async fn sandbox(profile: Profile) -> Self {
        let config = ServerConfig { encryption_master_key: MASTER_KEY, ..ServerConfig::with_profile(profile) };
        let sandbox = Server::start(config).await.expect("the sandbox starts");
        Self { name: format!("the sandbox as {profile}"), sandbox, sockudo: None }
    }

    /// Sockudo.
    pub async fn sockudo() -> Self {
        let beside = Self::sandbox(Profile::Sockudo).await;
        let sockudo = SockudoServer::start(beside.app()).await;
        Self { name: "Sockudo".to_owned(), sockudo: Some(sockudo), ..beside }
    }

    /// Sockudo, and sandboxes that serve every kind of channel.
    pub async fn all() -> Vec<Self> {
        let mut places = vec![Self::sockudo().await];
        for profile in [Profile::Pusher7, Profile::Reverb, Profile::Sockudo, Profile::Soketi] {
            places.push(Self::sandbox(profile).await);
        }
        places
    }

    /// Its application.
    #[must_use]
    pub fn app(&self) -> App {
        let app = self.sandbox.app().clone();
        App { id: app.id, key: app.key, secret: app.secret }
    }

    /// npm's server library and Python's.
    #[must_use]
    pub fn libraries(&self) -> [Arc<ServerLibrary>; 2] {
        ServerLibrary::both(&format!("http://{}", self.address()), &self.app()).map(Arc::new)
    }

    /// Our client, connecting; `library` authorizes and authenticates it as `user`.
    #[must_use]
    pub fn connect(&self, library: &Arc<ServerLibrary>, user: &str) -> Client {
        let authorizer = LibraryAuthorizer { library: Arc::clone(library), user: user.to_owned() };
        let client = Client::builder(format!("ws://{}", self.address()).as_str(), &self.sandbox.app().key);
        client.authorizer(authorizer).connect().expect("a valid configuration")
    }

    /// pusher-js, subscribing as `user`.
    #[must_use]
    pub fn start_pusher_js(&self, user: &str, channels: &[&str]) -> PusherJs {
        PusherJs::start(&self.pusher_js_options(user, channels))
    }

    /// The options of `receive.mjs`.
    #[must_use]
    pub fn pusher_js_options(&self, user: &str, channels: &[&str]) -> Value {
        let endpoint = |name: &str| format!("{}/pusher/{name}", self.sandbox.base_url());
        json!({
            "key": self.sandbox.app().key,
            "host": self.address().ip(),
            "port": self.address().port(),
            "authorization": {
                "endpoint": endpoint("auth"),
                "user_endpoint": endpoint("user-auth"),
                "headers": {"x-user-id": user, "x-user-info": json!({"name": user}).to_string()},
            },
            "channels": channels,
            "events": ["client-typing"],
        })
    }

    fn address(&self) -> SocketAddr {
        self.sockudo.as_ref().map_or_else(|| self.sandbox.local_addr(), SockudoServer::address)
    }
}

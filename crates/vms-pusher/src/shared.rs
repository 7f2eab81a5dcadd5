//! The parts of a client, and how they are assembled.

use std::sync::{Arc, Mutex, PoisonError};

use channels_client::http::{HttpClient, HttpLimits};
use channels_client::{
    ClientOptions, Decoded, Decoder, DynTokenProvider, HttpAuthorizer, ServerTime, SharedTokens, StreamClient,
};
use channels_proto::{Event, SocketId, SubscribeError};

use crate::config::VmsPusherConfig;
use crate::config_error::ConfigError;
use crate::decode::VmsDecoder;
use crate::events::Outlet;
use crate::item::Channels;
use crate::raw::Incoming;
use crate::rest::{self, LiveSocket, Rest};
use crate::runtime;
use crate::session::{ChannelNames, SessionToken, VmsSession};
use crate::socket::{VmsAppSocketData, VmsSocketData};

/// What the clones of a client share.
pub(crate) struct Shared {
    pub(crate) client: StreamClient<Incoming>,
    pub(crate) outlet: Arc<Outlet>,
    pub(crate) channels: Channels,
    pub(crate) rest: Arc<Rest>,
    pub(crate) authorizer: HttpAuthorizer,
    /// The token of the present session; unused where the app has a provider.
    token: Arc<SessionToken>,
    names: Mutex<ChannelNames>,
}

impl LiveSocket for Shared {
    fn socket_id(&self) -> Option<SocketId> {
        self.client.socket_id()
    }
}

impl Shared {
    /// Checks the configuration, and puts a disconnected client together.
    pub(crate) fn new(config: VmsPusherConfig) -> Result<Self, ConfigError> {
        let checked = config.check()?;
        let VmsPusherConfig { base_url, user_token, options, .. } = config;
        let runtime =
            runtime::handle(options.runtime).map_err(|error| ConfigError::Runtime { reason: error.to_string() })?;
        let headers = options.client.headers()?;
        let root = rest::api_root(&checked.base_url);
        let token = Arc::new(SessionToken::new(user_token));
        let tokens = options.token_provider.unwrap_or_else(|| Arc::clone(&token) as _);
        let tokens = SharedTokens::new(tokens);
        let mut client_options = ClientOptions::new(checked.socket_url, checked.app_key);
        let connector = rest::connector(options.tls);
        client_options.connector = Arc::clone(&connector);
        let server_time = ServerTime::new(connector.clock());
        client_options.server_time = Some(server_time.clone());
        // The connection cuts an authorization off, sooner than this at first.
        let limits = HttpLimits { deadline: client_options.protocol.max_answer_timeout, ..HttpLimits::default() };
        let authorizer = HttpAuthorizer::new(
            HttpClient::over(Arc::clone(&connector), root.origin(), limits)?.telling(server_time.clone()),
            root.join("broadcasting/auth"),
            Arc::clone(&headers),
            tokens.clone(),
        );
        let tokens: Arc<dyn DynTokenProvider> = Arc::new(tokens);
        let all = Some(Arc::clone(&tokens));
        let rest = Rest::new(&checked.base_url, connector, headers, all, runtime.clone())?.telling(server_time);
        let rest = Arc::new(rest);
        let discovery = &options.socket_discovery;
        let insecure = options.allow_insecure_socket;
        client_options.address_provider = discovery.provider(&checked.base_url, insecure, &rest, tokens);
        client_options.protocol.activity_timeout = options.activity_timeout;
        client_options.protocol.pong_timeout = options.pong_timeout;
        client_options.protocol.connect_timeout = options.connect_timeout;
        client_options.protocol.max_connect_timeout = options.max_connect_timeout;
        client_options.protocol.limits.max_message_bytes = options.max_message_bytes;
        client_options.queue = options.queue;
        client_options.client_name = options.client.name;
        client_options.client_version = options.client.version;
        let decoder = PushDecoder {
            decoder: VmsDecoder::new(&base_url),
            keep_raw: options.keep_raw,
            stay_after_logout: options.stay_after_logout,
        };
        let (client, delivery) = StreamClient::new(client_options, authorizer.clone().into(), decoder, &runtime)?;
        let channels = Channels::default();
        let outlet = Arc::new(Outlet::new(delivery, channels.clone()));
        let names = Mutex::new(checked.channels.clone());
        let shared = Self { client, outlet, channels, rest, authorizer, token, names };
        shared.subscribe(&checked.channels);
        Ok(shared)
    }

    /// Goes on in another session: see [`VmsPusherApi::set_session`](crate::VmsPusherApi::set_session).
    pub(crate) fn set_session(&self, session: VmsSession) -> Result<(), ConfigError> {
        let new = session.channels()?;
        let VmsSession { user_token, begun, .. } = session;
        let Self { client, outlet, channels, token, names, .. } = self;
        let mut names = names.lock().unwrap_or_else(PoisonError::into_inner);
        token.set(user_token);
        outlet.begin_session(|| {
            if new.user == names.user {
                for (old, new) in [(&names.token, &new.token), (&names.user, &new.user)] {
                    allowed(&client.replace(old, new.clone(), begun));
                }
            } else {
                client.unsubscribe(&names.token);
                client.unsubscribe(&names.user);
                self.subscribe(&new);
            }
            channels.forgive();
        });
        *names = new;
        Ok(())
    }

    fn subscribe(&self, names: &ChannelNames) {
        for channel in [&names.token, &names.user] {
            allowed(&self.client.subscribe(channel.clone()));
        }
    }
}

fn allowed(answer: &Result<(), SubscribeError>) {
    debug_assert!(answer.is_ok(), "two private channels are always allowed: {answer:?}");
}

/// The thin layer between the client's events and [`VmsDecoder`].
struct PushDecoder {
    decoder: VmsDecoder,
    keep_raw: bool,
    stay_after_logout: bool,
}

impl Decoder for PushDecoder {
    type Item = Incoming;

    fn decode(&mut self, event: &Event<'_>) -> Decoded<Incoming> {
        let item = Incoming::new(&self.decoder, event, self.keep_raw);
        let is_logout = matches!(item.socket, VmsSocketData::AppSocket(VmsAppSocketData::Logout(_)));
        Decoded { item, keep: is_logout, disconnect: is_logout && !self.stay_after_logout }
    }
}

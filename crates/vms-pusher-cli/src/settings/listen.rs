use channels_client::{SocketUrl, http::HttpUrl, proto::AppKey};
use vms_pusher::{Tls, VmsCredentials, VmsSocketItem};

use super::{credentials::Credentials, files, password, token};
use crate::{args::ListenArgs, event_name, failure::Failure, stop::Stop};

/// What `listen` was asked to do.
pub(crate) struct ListenSettings {
    pub(crate) base_url: String,
    pub(crate) credentials: Credentials,
    /// Asked for when absent.
    pub(crate) socket_url: Option<String>,
    /// Asked for when absent.
    pub(crate) app_key: Option<String>,
    pub(crate) tls: Tls,
    pub(crate) allow_insecure_socket: bool,
    pub(crate) json: bool,
    /// Print what events were made from.
    pub(crate) raw: bool,
    pub(crate) filter: Filter,
}

impl ListenSettings {
    /// Files, pipes and a person at a prompt may keep this waiting; `stop` ends that.
    pub(crate) fn new(args: ListenArgs, stop: &Stop) -> Result<Self, Failure> {
        HttpUrl::parse(&args.base_url).map_err(|error| {
            Failure::usage(format!("--base-url: {error}"))
                .tip("write it like https://example.com: http:// or https://, without user, query and fragment")
        })?;
        if let Some(url) = &args.socket_url {
            SocketUrl::parse(url).map_err(|error| {
                Failure::usage(format!("--socket-url: {error}"))
                    .tip("write it like wss://example.com/pusher, or leave it out: the VMS is then asked")
            })?;
        }
        if let Some(key) = &args.app_key {
            AppKey::parse(key).map_err(|error| {
                Failure::usage(format!("--app-key: {error}")).tip("leave it out: the VMS is then asked for it")
            })?;
        }
        let filter = Filter::new(&args.only, &args.not);
        let tls = stop.waiting(|| files::tls(&args.ca))?;
        let credentials = match args.login {
            Some(login) => {
                let password = password::get(&login, stop)?;
                Credentials::Login(VmsCredentials::new(login, password))
            }
            None => stop.waiting(|| token::credentials(args.token_file, args.user_id, args.access_token_id))?,
        };
        Ok(Self {
            base_url: args.base_url,
            credentials,
            socket_url: args.socket_url,
            app_key: args.app_key,
            tls,
            allow_insecure_socket: args.allow_insecure_socket,
            json: args.json,
            raw: args.raw,
            filter,
        })
    }
}

/// Which events are printed.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// When there are any, these alone.
    only: Vec<&'static str>,
    not: Vec<&'static str>,
}

impl Filter {
    fn new(only: &[String], not: &[String]) -> Self {
        let events = |names: &[String]| names.iter().flat_map(|name| event_name::meant_by(name)).collect();
        Self { only: events(only), not: events(not) }
    }

    /// Whether the item is to be printed. States, errors and gaps always are.
    pub(crate) fn lets_through(&self, item: &VmsSocketItem) -> bool {
        let name = match item {
            VmsSocketItem::AppSocket(socket) => socket.name(),
            VmsSocketItem::IntercomSocket(socket) => socket.name(),
            VmsSocketItem::ConnectionState { .. }
            | VmsSocketItem::Continuity(_)
            | VmsSocketItem::Error(_)
            | VmsSocketItem::Info { .. } => return true,
        };
        (self.only.is_empty() || self.only.contains(&name)) && !self.not.contains(&name)
    }
}

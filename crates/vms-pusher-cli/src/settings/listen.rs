use std::{path::PathBuf, pin::Pin, sync::Arc};

use channels_client::{
    SocketUrl,
    http::HttpUrl,
    proto::{AppKey, ChannelName},
};
use vms_pusher::{Secret, Tls, TokenError, TokenProvider, VmsCredentials, VmsSocketItem};

use super::{files, password};
use crate::{args::ListenArgs, event_name, failure::Failure};

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
    pub(crate) filter: Filter,
}

/// Who is listening.
pub(crate) enum Credentials {
    /// Someone who has to log in first.
    Login(VmsCredentials),
    /// Someone with a token.
    Token {
        token: Secret,
        /// Where a newer one may be found when the server refuses this one.
        provider: Option<Arc<dyn TokenProvider>>,
        user_id: i64,
        access_token_id: String,
    },
}

impl ListenSettings {
    pub(crate) fn new(args: ListenArgs) -> Result<Self, Failure> {
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
        let tls = files::tls(&args.ca)?;
        let credentials = match args.login {
            Some(login) => {
                let password = password::get(&login)?;
                Credentials::Login(VmsCredentials::new(login, password))
            }
            None => with_token(args.token_file, args.user_id, args.access_token_id)?,
        };
        Ok(Self {
            base_url: args.base_url,
            credentials,
            socket_url: args.socket_url,
            app_key: args.app_key,
            tls,
            allow_insecure_socket: args.allow_insecure_socket,
            json: args.json,
            filter,
        })
    }
}

impl ListenSettings {
    /// Whether the VMS is asked where its socket is.
    pub(crate) const fn is_discovering(&self) -> bool {
        self.socket_url.is_none() || self.app_key.is_none()
    }
}

fn with_token(file: Option<PathBuf>, user_id: Option<i64>, id: Option<String>) -> Result<Credentials, Failure> {
    let (token, source) = match &file {
        Some(path) => (read_token(path)?, "the file of --token-file"),
        None => (token_of_environment()?, "VMS_TOKEN"),
    };
    if token.expose().is_empty() {
        return Err(Failure::usage(format!("there is no token: {source} is empty")).tip(HOW_TO_GIVE_A_TOKEN));
    }
    if !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::usage(format!("{source} holds something else than one token")).tip(HOW_TO_GIVE_A_TOKEN));
    }
    let (Some(user_id), Some(access_token_id)) = (user_id, id) else {
        return Err(Failure::usage("a token alone does not tell which channels are yours")
            .tip("add --user-id and --access-token-id, which came with the token, or use --login"));
    };
    if user_id < 0 {
        return Err(Failure::usage(format!("--user-id: {user_id} is negative")).tip(WHERE_IDS_COME_FROM));
    }
    if access_token_id.is_empty() {
        return Err(Failure::usage("--access-token-id is empty").tip(WHERE_IDS_COME_FROM));
    }
    ChannelName::parse(&format!("private-token.{access_token_id}"))
        .map_err(|error| Failure::usage(format!("--access-token-id: {error}")).tip(WHERE_IDS_COME_FROM))?;
    let of_file = |path: PathBuf| Arc::new(TokenFile(path)) as Arc<dyn TokenProvider>;
    let provider = file.filter(|path| path.as_os_str() != "-").map(of_file);
    Ok(Credentials::Token { token, provider, user_id, access_token_id })
}

fn token_of_environment() -> Result<Secret, Failure> {
    match std::env::var("VMS_TOKEN") {
        Ok(token) => Ok(Secret::new(token.trim())),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Failure::usage("VMS_TOKEN is not UTF-8").tip(HOW_TO_GIVE_A_TOKEN))
        }
        Err(std::env::VarError::NotPresent) => {
            Err(Failure::usage("there is no token and no --login").tip(HOW_TO_GIVE_A_TOKEN))
        }
    }
}

fn read_token(path: &std::path::Path) -> Result<Secret, Failure> {
    let text = String::from_utf8(files::read_bytes("--token-file", path)?);
    let text = text.map_err(|_| Failure::usage("the file of --token-file is not UTF-8").tip(HOW_TO_GIVE_A_TOKEN))?;
    Ok(Secret::new(text.trim()))
}

const HOW_TO_GIVE_A_TOKEN: &str =
    "set VMS_TOKEN, or use --token-file FILE or --login NAME; a token is never an argument";
const WHERE_IDS_COME_FROM: &str = "it came with the token, at the login; with --login it is not needed";

/// The token in a file, which someone else may renew.
struct TokenFile(PathBuf);

type TokenFuture = Pin<Box<dyn Future<Output = Result<Secret, TokenError>> + Send>>;

impl TokenProvider for TokenFile {
    fn token(&self) -> TokenFuture {
        let path = self.0.clone();
        Box::pin(async move {
            let unavailable = |message: String| TokenError::Unavailable { message };
            let read = tokio::task::spawn_blocking(move || read_token(&path)).await;
            read.map_err(|error| unavailable(error.to_string()))?.map_err(|failure| unavailable(failure.to_string()))
        })
    }

    fn refresh(&self, _rejected: &Secret) -> TokenFuture {
        self.token()
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
            VmsSocketItem::AppSocket(socket) => event_name::of_app(socket),
            VmsSocketItem::IntercomSocket(socket) => event_name::of_intercom(socket),
            VmsSocketItem::ConnectionState { .. }
            | VmsSocketItem::Continuity(_)
            | VmsSocketItem::Error(_)
            | VmsSocketItem::Info { .. } => return true,
        };
        (self.only.is_empty() || self.only.contains(&name)) && !self.not.contains(&name)
    }
}

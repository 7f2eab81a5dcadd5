//! From credentials to everything that a client needs: logs in and asks where the socket is, as far as it has to.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::Arc,
    time::Duration,
};

use vms_pusher::{
    ApiError, ApiErrorKind, ConfigError, DynTokenProvider, PusherError, PusherErrorKind, Secret, TokenError, VmsApi,
    VmsClientInfo, VmsPusherConfig, VmsPusherOptions, VmsSocketItem, VmsSocketUrl,
};

use super::{
    Printer, advice,
    discovery::{self, Token},
    wait::Waits,
};
use crate::{
    failure::{Exit, Failure},
    settings::{Account, Credentials},
};

/// Opens sessions, one after the other.
pub(super) struct Opener<'s> {
    account: &'s Account,
    client: VmsClientInfo,
    api: VmsApi,
}

/// Whose events are listened to.
struct Who {
    token: Secret,
    user_id: i64,
    access_token_id: String,
}

impl<'s> Opener<'s> {
    pub(super) fn new(account: &'s Account) -> Result<Self, Failure> {
        let client = client_info();
        let api = VmsApi::new(&account.base_url, account.tls.clone(), &client);
        let api = api.map_err(|error| unusable(account, &error))?;
        Ok(Self { account, client, api })
    }

    /// Tries for ever as long as trying again may help, as `listen` does once it is connected.
    pub(super) async fn open(&self, printer: &mut Printer<'_>) -> Result<VmsPusherConfig, Failure> {
        printer.servers.socket.clone_from(&self.account.base_url);
        let who = self.who(printer).await?;
        let place = self.place(&who, printer).await?;
        Ok(self.config(who, place))
    }

    async fn who(&self, printer: &mut Printer<'_>) -> Result<Who, Failure> {
        let credentials = match &self.account.credentials {
            Credentials::Login(credentials) => credentials,
            Credentials::Token { token, user_id, access_token_id, .. } => {
                let (user_id, access_token_id) = (*user_id, access_token_id.clone());
                return Ok(Who { token: token.clone(), user_id, access_token_id });
            }
        };
        let mut waits = waits();
        let login = loop {
            match self.api.login(credentials).await {
                Ok(login) => break login,
                // Never twice with the same password: the account could be locked.
                Err(error) if is_refused_login(error.kind()) => {
                    let failure = Failure::new(Exit::Unauthorized, format!("cannot log in: {error}"));
                    return Err(failure.tip("check the name and the password").because(&PusherError::from(&error)));
                }
                Err(error) if error.kind() == ApiErrorKind::UnusableValue => {
                    return Err(of_no_use(&error).tip(GIVE_THE_TOKEN));
                }
                Err(error) => pause(printer, &mut waits, PusherError::from(&error), error.retry_after()).await?,
            }
        };
        let id = login.user.access_token_id.filter(|id| !id.is_empty());
        let access_token_id = id.ok_or_else(|| {
            let url = &self.account.base_url;
            Failure::new(Exit::Unreachable, format!("{url} accepted the login but returned no access token id"))
                .tip(GIVE_THE_TOKEN)
        })?;
        Ok(Who { token: login.access_token, user_id: login.user.id, access_token_id })
    }

    async fn place(&self, who: &Who, printer: &mut Printer<'_>) -> Result<VmsSocketUrl, Failure> {
        let (socket_url, key) = (&self.account.socket_url, &self.account.app_key);
        if let (Some(socket_url), Some(key)) = (socket_url, key) {
            return Ok(VmsSocketUrl { ws_url: socket_url.clone(), app_key: key.clone() });
        }
        let found = self.discover(who, printer).await?;
        Ok(VmsSocketUrl {
            ws_url: socket_url.clone().unwrap_or(found.ws_url),
            app_key: key.clone().unwrap_or(found.app_key),
        })
    }

    /// Asks where the socket is. A refused token is final unless there is another one by then.
    async fn discover(&self, who: &Who, printer: &mut Printer<'_>) -> Result<VmsSocketUrl, Failure> {
        let mut waits = waits();
        let mut refused: Option<(Secret, ApiError)> = None;
        loop {
            let token = match self.provider() {
                None => who.token.clone(),
                Some(provider) => match provider.boxed_token().await {
                    Ok(token) => token,
                    Err(error) => {
                        pause(printer, &mut waits, no_token(&error), None).await?;
                        continue;
                    }
                },
            };
            if let Some((_, error)) = refused.take().filter(|(rejected, _)| *rejected == token) {
                return Err(refused_token(&error));
            }
            let api = self.api.with_token(&token).map_err(|error| unusable(self.account, &error))?;
            match api.socket_url().await {
                Ok(found) => return Ok(found),
                Err(error) if is_refused_token(error.kind()) && self.provider().is_none() => {
                    return Err(refused_token(&error));
                }
                Err(error) if is_refused_token(error.kind()) => refused = Some((token, error)),
                Err(error) if error.kind() == ApiErrorKind::UnusableValue => {
                    return Err(of_no_use(&error).tip("give --socket-url and --app-key"));
                }
                Err(error) => pause(printer, &mut waits, PusherError::from(&error), error.retry_after()).await?,
            }
        }
    }

    fn provider(&self) -> Option<Arc<dyn DynTokenProvider>> {
        match &self.account.credentials {
            Credentials::Token { provider, .. } => provider.clone(),
            Credentials::Login(_) => None,
        }
    }

    fn config(&self, who: Who, place: VmsSocketUrl) -> VmsPusherConfig {
        let account = self.account;
        let token_provider = self.provider();
        let token = match &token_provider {
            Some(provider) => Token::Renewed(Arc::clone(provider)),
            None => Token::Fixed(who.token.clone()),
        };
        let options = VmsPusherOptions {
            tls: account.tls.clone(),
            allow_insecure_socket: account.allow_insecure_socket,
            keep_raw: account.raw,
            socket_discovery: discovery::of(account, &self.api, token),
            token_provider,
            client: self.client.clone(),
            ..VmsPusherOptions::default()
        };
        VmsPusherConfig {
            base_url: account.base_url.clone(),
            socket_url: place.ws_url,
            app_key: place.app_key,
            user_token: who.token,
            user_id: who.user_id,
            access_token_id: who.access_token_id,
            options,
        }
    }
}

/// What the client does not take: a setting of the caller, or what the server named.
#[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows; what it gains is about settings")]
pub(super) fn unusable(account: &Account, error: &ConfigError) -> Failure {
    let base_url = &account.base_url;
    let error_text = in_own_words(error);
    let of_server = |what: &str| Failure::new(Exit::Unreachable, format!("{base_url} {what}: {error_text}"));
    let is_login = matches!(account.credentials, Credentials::Login(_));
    match error {
        ConfigError::InsecureSocketUrl { socket_url } => {
            let exit = if account.socket_url.is_none() { Exit::Unreachable } else { Exit::Usage };
            Failure::new(exit, format!("`{socket_url}` is not encrypted, but {base_url} is"))
                .tip("use the server's wss:// address if it has one; --allow-insecure-socket accepts this one")
        }
        ConfigError::SocketUrl(_) if account.socket_url.is_none() => {
            of_server("returned an unusable socket URL").tip("give --socket-url")
        }
        ConfigError::AppKey(_) if account.app_key.is_none() => {
            of_server("returned an unusable app key").tip("give --app-key")
        }
        ConfigError::UserToken { .. } | ConfigError::UserId { .. } | ConfigError::AccessTokenId { .. } if is_login => {
            of_server("accepted the login with an unusable answer").tip(GIVE_THE_TOKEN)
        }
        ConfigError::ClientInfo { .. } | ConfigError::Runtime { .. } => Failure::new(Exit::Other, error),
        _ => Failure::usage(match option_of(error) {
            Some(option) => format!("{option}: {error_text}"),
            None => error_text,
        })
        .tip("`vms-pusher listen --help` describes each option"),
    }
}

/// What is wrong with a value, without the name that it has in the library.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a foreign enum that grows; what it gains is as the library says it"
)]
fn in_own_words(error: &ConfigError) -> String {
    match error {
        ConfigError::BaseUrl(error) | ConfigError::SocketUrl(error) => error.to_string(),
        ConfigError::AppKey(error) => error.to_string(),
        ConfigError::UserToken { reason } => (*reason).to_owned(),
        ConfigError::UserId { value } => format!("the user's id {value} is negative"),
        ConfigError::AccessTokenId { value, .. } if value.is_empty() => "the token's id is empty".to_owned(),
        ConfigError::AccessTokenId { error, .. } => format!("the token's id cannot be part of a channel name: {error}"),
        error => error.to_string(),
    }
}

/// The option that gives a value.
#[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows; nothing else has an option")]
const fn option_of(error: &ConfigError) -> Option<&'static str> {
    match error {
        ConfigError::BaseUrl(_) => Some("--base-url"),
        ConfigError::SocketUrl(_) => Some("--socket-url"),
        ConfigError::AppKey(_) => Some("--app-key"),
        ConfigError::UserId { .. } => Some("--user-id"),
        ConfigError::AccessTokenId { .. } => Some("--access-token-id"),
        _ => None,
    }
}

/// What this program says about itself to servers.
pub(crate) fn client_info() -> VmsClientInfo {
    VmsClientInfo {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..VmsClientInfo::default()
    }
}

/// The standard library keys its hashers from the operating system.
pub(super) fn waits() -> Waits {
    Waits::new(RandomState::new().build_hasher().finish())
}

/// Tells what may pass by itself, and waits. `asked` is what the server asks to wait.
async fn pause(
    printer: &mut Printer<'_>,
    waits: &mut Waits,
    error: PusherError,
    asked: Option<Duration>,
) -> Result<(), Failure> {
    printer.print(&VmsSocketItem::Error(error))?;
    let next = waits.next(asked);
    printer.info(format!("the next attempt follows in {:.1} s", next.as_secs_f32()))?;
    tokio::time::sleep(next).await;
    Ok(())
}

/// Whether the VMS does not accept the password; everything else may pass.
const fn is_refused_login(kind: ApiErrorKind) -> bool {
    matches!(kind, ApiErrorKind::IncorrectData | ApiErrorKind::Unauthorized | ApiErrorKind::Forbidden)
}

/// Whether the VMS does not accept the token; everything else may pass.
const fn is_refused_token(kind: ApiErrorKind) -> bool {
    matches!(kind, ApiErrorKind::Unauthorized | ApiErrorKind::Forbidden | ApiErrorKind::SessionExpired)
}

/// What the server said wrongly: it would say it again.
fn of_no_use(error: &ApiError) -> Failure {
    Failure::new(Exit::Unreachable, error).because(&PusherError::from(error))
}

fn refused_token(error: &ApiError) -> Failure {
    let cause = PusherError::from(error);
    Failure::new(Exit::Unauthorized, format!("cannot ask for the socket's address: {error}"))
        .tip(advice::tip(&cause))
        .because(&cause)
}

fn no_token(error: &TokenError) -> PusherError {
    let kind = PusherErrorKind::AuthorizationUnavailable;
    PusherError { kind, code: None, status: None, message: error.to_string() }
}

const GIVE_THE_TOKEN: &str = "give the token in VMS_TOKEN, with --user-id and --access-token-id";

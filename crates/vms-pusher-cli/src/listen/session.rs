//! From credentials to everything that a client needs: logs in and asks where the socket is, as far as it has to.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use vms_pusher::{
    ApiError, ApiErrorKind, ConfigError, PusherError, PusherErrorKind, Secret, VmsApi, VmsClientInfo, VmsPusherConfig,
    VmsPusherOptions, VmsSocketItem, VmsSocketUrl,
};

use super::{Printer, wait::Waits};
use crate::{
    failure::{Exit, Failure},
    settings::{Credentials, ListenSettings},
};

/// Tries for ever as long as trying again may help, as `listen` does once it is connected.
pub(super) async fn open(settings: &ListenSettings, printer: &mut Printer<'_>) -> Result<VmsPusherConfig, Failure> {
    let client = client_info();
    let api = VmsApi::new(&settings.base_url, settings.tls.clone(), &client).map_err(Failure::usage)?;
    let mut who = Who::default();
    match &settings.credentials {
        Credentials::Login(credentials) => {
            let login = persist(printer, Step::Login, async || api.login(credentials).await).await?;
            let id = login.user.access_token_id.filter(|id| !id.is_empty());
            who.access_token_id = id.ok_or_else(|| {
                let url = &settings.base_url;
                Failure::new(Exit::Unreachable, format!("{url} accepted the login but named no access token id"))
                    .tip("give the token by VMS_TOKEN, with --user-id and --access-token-id")
            })?;
            who.user_id = login.user.id;
            who.token = login.access_token;
        }
        Credentials::Token { token, user_id, access_token_id, .. } => {
            who = Who { token: token.clone(), user_id: *user_id, access_token_id: access_token_id.clone() };
        }
    }
    let place = match (&settings.socket_url, &settings.app_key) {
        (Some(socket_url), Some(key)) => VmsSocketUrl { ws_url: socket_url.clone(), app_key: key.clone() },
        (socket_url, key) => {
            let api = api.with_token(&who.token).map_err(Failure::usage)?;
            let found = persist(printer, Step::Discovery, async || api.socket_url().await).await?;
            VmsSocketUrl {
                ws_url: socket_url.clone().unwrap_or(found.ws_url),
                app_key: key.clone().unwrap_or(found.app_key),
            }
        }
    };
    Ok(config(settings, client, who, place))
}

/// Whose events are listened to.
struct Who {
    token: Secret,
    user_id: i64,
    access_token_id: String,
}

impl Default for Who {
    fn default() -> Self {
        Self { token: Secret::new(""), user_id: 0, access_token_id: String::new() }
    }
}

fn config(settings: &ListenSettings, client: VmsClientInfo, who: Who, place: VmsSocketUrl) -> VmsPusherConfig {
    let token_provider = match &settings.credentials {
        Credentials::Token { provider, .. } => provider.clone(),
        Credentials::Login(_) => None,
    };
    let options = VmsPusherOptions {
        tls: settings.tls.clone(),
        allow_insecure_socket: settings.allow_insecure_socket,
        token_provider,
        client,
        ..VmsPusherOptions::default()
    };
    VmsPusherConfig {
        base_url: settings.base_url.clone(),
        socket_url: place.ws_url,
        app_key: place.app_key,
        user_token: who.token,
        user_id: who.user_id,
        access_token_id: who.access_token_id,
        options,
    }
}

/// What the client does not take, from the command line or from the server.
#[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows; what it gains is about settings")]
pub(super) fn unusable(settings: &ListenSettings, error: &ConfigError) -> Failure {
    match error {
        ConfigError::InsecureSocketUrl { socket_url } => {
            let message = format!("`{socket_url}` is not encrypted, but {} is", settings.base_url);
            Failure::usage(message).tip("a server's own wss:// is better; --allow-insecure-socket accepts it as it is")
        }
        ConfigError::SocketUrl(_) | ConfigError::AppKey(_) if settings.is_discovering() => {
            Failure::new(Exit::Unreachable, format!("{} named a socket of no use: {error}", settings.base_url))
                .tip("give --socket-url and --app-key")
        }
        error => Failure::usage(error).tip("`vms-pusher listen --help` says what each option takes"),
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Discovery,
    Login,
}

/// Calls until it works, or cannot.
async fn persist<T>(
    printer: &mut Printer<'_>,
    step: Step,
    call: impl AsyncFn() -> Result<T, ApiError>,
) -> Result<T, Failure> {
    // The standard library keys its hashers from the operating system.
    let mut waits = Waits::new(RandomState::new().build_hasher().finish());
    loop {
        let error = match call().await {
            Ok(answer) => return Ok(answer),
            Err(error) if error.is_retryable() => error,
            Err(error) => return Err(give_up(step, &error)),
        };
        let next = waits.next(error.retry_after());
        printer.print(&VmsSocketItem::Error(PusherError {
            kind: PusherErrorKind::Api,
            code: None,
            status: None,
            message: error.to_string(),
        }))?;
        let message = format!("the next attempt follows in {:.1} s", next.as_secs_f32());
        printer.print(&VmsSocketItem::Info { message })?;
        tokio::time::sleep(next).await;
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows; what it gains is no matter of tokens")]
fn give_up(step: Step, error: &ApiError) -> Failure {
    match error.kind() {
        ApiErrorKind::IncorrectData | ApiErrorKind::Unauthorized | ApiErrorKind::Forbidden if step == Step::Login => {
            Failure::new(Exit::Unauthorized, format!("cannot log in: {error}")).tip("check the name and the password")
        }
        ApiErrorKind::Unauthorized | ApiErrorKind::Forbidden | ApiErrorKind::SessionExpired => {
            Failure::new(Exit::Unauthorized, format!("cannot ask for the socket's address: {error}"))
                .tip("is the token still valid, and from this VMS? --login gets a new one")
        }
        _ => Failure::new(Exit::Unreachable, error).tip("check --base-url; `curl -i` on it shows who answers there"),
    }
}

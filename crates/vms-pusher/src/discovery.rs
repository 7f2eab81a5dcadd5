//! Where to look for the Pusher server when its address no longer works.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use channels_client::http::HttpUrl;
use channels_client::{
    DynTokenProvider, SocketAddress, SocketAddressError, SocketAddressProvider, SocketUrl, TokenError, current_token,
};
use channels_proto::{AppKey, Secret};
use futures_core::future::BoxFuture;

use crate::config_error::ConfigError;
use crate::rest::{ApiError, ApiErrorKind, Rest, VmsApi, VmsSocketUrl};

/// Where to look for the Pusher server when it refuses the client, or after three consecutive failed attempts.
///
/// The first attempt goes to the address in the configuration. Attempts continue at the known address during the
/// search, and then at the address found, which is checked like the configuration
/// ([`allow_insecure_socket`](crate::VmsPusherOptions::allow_insecure_socket)).
#[derive(Clone, Default)]
pub enum VmsSocketDiscovery {
    /// Nowhere: only the address in the configuration is used.
    #[default]
    Off,
    /// At the VMS, like [`VmsApi::socket_url`](crate::VmsApi::socket_url); with a fresh token when the VMS refuses
    /// the current one.
    Api,
    /// From the app's own provider.
    Provider(Arc<dyn DynVmsSocketUrlProvider>),
}

/// Knows where the Pusher server is. The method may be written as an `async fn`; a closure is a provider too.
pub trait VmsSocketUrlProvider: Send + Sync + 'static {
    /// Returns where it is now, which may be the known address. There is one call at a time; it may take 30 s.
    fn socket_url(&self) -> impl Future<Output = Result<VmsSocketUrl, SocketAddressError>> + Send;
}

impl<F, A> VmsSocketUrlProvider for F
where
    F: Fn() -> A + Send + Sync + 'static,
    A: Future<Output = Result<VmsSocketUrl, SocketAddressError>> + Send,
{
    async fn socket_url(&self) -> Result<VmsSocketUrl, SocketAddressError> {
        self().await
    }
}

/// A [`VmsSocketUrlProvider`] behind a pointer; every provider implements it.
pub trait DynVmsSocketUrlProvider: Send + Sync + 'static {
    /// Calls [`VmsSocketUrlProvider::socket_url`].
    fn boxed_socket_url(self: Arc<Self>) -> VmsSocketUrlFuture;
}

/// What a [`DynVmsSocketUrlProvider`] returns.
pub type VmsSocketUrlFuture = Pin<Box<dyn Future<Output = Result<VmsSocketUrl, SocketAddressError>> + Send>>;

impl<P: VmsSocketUrlProvider> DynVmsSocketUrlProvider for P {
    fn boxed_socket_url(self: Arc<Self>) -> VmsSocketUrlFuture {
        Box::pin(async move { self.socket_url().await })
    }
}

/// A discovery that checks what it finds.
#[derive(Clone)]
struct Checking {
    source: Source,
    base_url: HttpUrl,
    allow_insecure: bool,
}

#[derive(Clone)]
enum Source {
    Api(VmsApi, Arc<dyn DynTokenProvider>),
    Provider(Arc<dyn DynVmsSocketUrlProvider>),
}

impl VmsSocketDiscovery {
    /// Returns the provider for the client. `tokens` are those of the client too.
    pub(crate) fn provider(
        &self,
        base_url: &HttpUrl,
        allow_insecure: bool,
        rest: &Arc<Rest>,
        tokens: Arc<dyn DynTokenProvider>,
    ) -> Option<Arc<dyn SocketAddressProvider>> {
        let source = match self {
            Self::Off => return None,
            Self::Api => Source::Api(VmsApi::without_socket(rest), tokens),
            Self::Provider(provider) => Source::Provider(Arc::clone(provider)),
        };
        Some(Arc::new(Checking { source, base_url: base_url.clone(), allow_insecure }))
    }
}

impl SocketAddressProvider for Checking {
    fn find(&self) -> BoxFuture<'static, Result<SocketAddress, SocketAddressError>> {
        let Self { source, base_url, allow_insecure } = self.clone();
        Box::pin(async move {
            let VmsSocketUrl { ws_url, app_key } = match source {
                Source::Api(api, tokens) => ask(&api, &tokens).await?,
                Source::Provider(provider) => provider.boxed_socket_url().await?,
            };
            let (url, app_key) =
                check_socket(&base_url, &ws_url, &app_key, allow_insecure).map_err(|error| of_config(&error))?;
            Ok(SocketAddress { url, app_key })
        })
    }
}

/// Checks what says where the socket is, whether it comes from the configuration or is found later.
pub(crate) fn check_socket(
    base_url: &HttpUrl,
    socket_url: &str,
    app_key: &str,
    allow_insecure: bool,
) -> Result<(SocketUrl, AppKey), ConfigError> {
    let socket_url = SocketUrl::parse(socket_url).map_err(ConfigError::SocketUrl)?;
    if base_url.is_secure() && !socket_url.is_secure() && !allow_insecure {
        return Err(ConfigError::InsecureSocketUrl { socket_url: socket_url.to_string() });
    }
    Ok((socket_url, AppKey::parse(app_key).map_err(ConfigError::AppKey)?))
}

/// Asks the VMS; once more with a fresh token when it refuses the present one.
async fn ask(api: &VmsApi, tokens: &Arc<dyn DynTokenProvider>) -> Result<VmsSocketUrl, SocketAddressError> {
    let token = current_token(Arc::clone(tokens)).await.map_err(|error| of_token(&error))?;
    let refused = match with_token(api, &token)?.socket_url().await {
        Err(error) if matches!(error.kind(), ApiErrorKind::Unauthorized | ApiErrorKind::SessionExpired) => error,
        answer => return answer.map_err(|error| of_api(&error)),
    };
    let newer = Arc::clone(tokens).boxed_refresh(token.clone()).await.map_err(|error| of_token(&error))?;
    if newer == token {
        return Err(of_api(&refused));
    }
    with_token(api, &newer)?.socket_url().await.map_err(|error| of_api(&error))
}

fn with_token(api: &VmsApi, token: &Secret) -> Result<VmsApi, SocketAddressError> {
    api.with_token(token).map_err(|error| of_config(&error))
}

fn of_api(error: &ApiError) -> SocketAddressError {
    SocketAddressError { message: error.to_string(), retry_after: error.retry_after() }
}

fn of_token(error: &TokenError) -> SocketAddressError {
    SocketAddressError { message: error.to_string(), retry_after: None }
}

/// What was found cannot be used. The fields of a configuration have nothing to do with it.
fn of_config(error: &ConfigError) -> SocketAddressError {
    let message = match error {
        ConfigError::InsecureSocketUrl { socket_url } => format!("`{socket_url}` is not encrypted, but the API is"),
        ConfigError::SocketUrl(error) => error.to_string(),
        ConfigError::AppKey(error) => error.to_string(),
        ConfigError::UserToken { reason } => (*reason).to_owned(),
        ConfigError::AccessTokenId { .. }
        | ConfigError::BaseUrl(_)
        | ConfigError::ClientInfo { .. }
        | ConfigError::Option(_)
        | ConfigError::Runtime { .. }
        | ConfigError::UserId { .. } => error.to_string(),
    };
    SocketAddressError { message, retry_after: None }
}

impl fmt::Debug for VmsSocketDiscovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "Off",
            Self::Api => "Api",
            Self::Provider(_) => "Provider",
        })
    }
}

impl fmt::Debug for Checking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checking").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    struct Known(&'static str);

    impl VmsSocketUrlProvider for Known {
        async fn socket_url(&self) -> Result<VmsSocketUrl, SocketAddressError> {
            Ok(VmsSocketUrl { ws_url: self.0.to_owned(), app_key: "key".to_owned() })
        }
    }

    fn find(base_url: &str, found: &'static str, allow_insecure: bool) -> Result<SocketAddress, SocketAddressError> {
        let base_url = HttpUrl::parse(base_url).unwrap();
        let checking = Checking { source: Source::Provider(Arc::new(Known(found))), base_url, allow_insecure };
        checking.find().now_or_never().unwrap()
    }

    // H03
    #[test]
    fn an_unencrypted_address_is_not_gone_to_because_it_was_found() {
        let refused = find("https://example.com", "ws://example.com:6001", false).unwrap_err();
        assert!(refused.message.ends_with("is not encrypted, but the API is"), "{refused}");
        assert!(find("https://example.com", "ws://example.com:6001", true).is_ok());
        assert!(find("http://example.com", "ws://example.com:6001", false).is_ok());
        assert!(find("https://example.com", "wss://example.com", false).is_ok());
    }
}

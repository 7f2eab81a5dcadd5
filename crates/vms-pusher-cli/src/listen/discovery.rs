use std::sync::Arc;

use vms_pusher::{
    DynTokenProvider, Secret, SocketAddressError, VmsApi, VmsSocketDiscovery, VmsSocketUrl, VmsSocketUrlProvider,
};

use crate::settings::Account;

/// Where the socket is looked for when it is not found any more: at the VMS, as at the start, but for what is given.
pub(super) fn of(account: &Account, api: &VmsApi, token: Token) -> VmsSocketDiscovery {
    match (account.socket_url.clone(), account.app_key.clone()) {
        (Some(_), Some(_)) => VmsSocketDiscovery::Off,
        (None, None) => VmsSocketDiscovery::Api,
        (socket_url, app_key) => {
            VmsSocketDiscovery::Provider(Arc::new(ButFor { api: api.clone(), token, socket_url, app_key }))
        }
    }
}

/// The token to ask with.
#[derive(Clone)]
pub(super) enum Token {
    Fixed(Secret),
    Renewed(Arc<dyn DynTokenProvider>),
}

/// Asks the VMS for what is not given.
struct ButFor {
    api: VmsApi,
    token: Token,
    socket_url: Option<String>,
    app_key: Option<String>,
}

impl VmsSocketUrlProvider for ButFor {
    async fn socket_url(&self) -> Result<VmsSocketUrl, SocketAddressError> {
        let failed = |message: String| SocketAddressError { message, retry_after: None };
        let token = match self.token.clone() {
            Token::Fixed(token) => token,
            Token::Renewed(tokens) => tokens.boxed_token().await.map_err(|error| failed(error.to_string()))?,
        };
        let api = self.api.with_token(&token).map_err(|error| failed(error.to_string()))?;
        let found = api
            .socket_url()
            .await
            .map_err(|error| SocketAddressError { message: error.to_string(), retry_after: error.retry_after() })?;
        Ok(VmsSocketUrl {
            ws_url: self.socket_url.clone().unwrap_or(found.ws_url),
            app_key: self.app_key.clone().unwrap_or(found.app_key),
        })
    }
}

//! A token that is renewed by another program, in the file `VMS_TOKEN_FILE`. The client asks for it before every
//! authorization, and for another one when the server refuses it.

#![allow(clippy::print_stdout, reason = "an example shows what it gets")]

mod common;

use std::{env, path::PathBuf, sync::Arc, time::Duration};

use vms_pusher::{Secret, TokenError, TokenProvider, VmsPusherApi, VmsSocketItem};

struct TokenFile(PathBuf);

impl TokenProvider for TokenFile {
    async fn token(&self) -> Result<Secret, TokenError> {
        match tokio::fs::read_to_string(&self.0).await {
            Ok(token) => Ok(Secret::new(token.trim())),
            // Retried after a while. With `Denied`, the channels would be given up.
            Err(error) => Err(TokenError::Unavailable { message: error.to_string() }),
        }
    }

    /// The new token must belong to the same login session: a new login has another channel, see `new_session.rs`.
    async fn refresh(&self, _rejected: &Secret) -> Result<Secret, TokenError> {
        self.token().await
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = PathBuf::from(env::var("VMS_TOKEN_FILE")?);
    let mut config = common::log_in().await?;
    tokio::fs::write(&file, config.user_token.expose()).await?;
    config.options.token_provider = Some(Arc::new(TokenFile(file)));
    let vms = VmsPusherApi::new(config)?;
    let mut events = vms.events();
    vms.connect();
    while let Some(item) = events.next().await {
        if let VmsSocketItem::AppSocket(push) = item {
            println!("{}", push.name());
        }
    }
    vms.close(Duration::from_secs(2)).await;
    Ok(())
}

//! What the examples begin with. `VMS_URL`, `VMS_LOGIN` and `VMS_PASSWORD` say who logs in and where; against
//! `vms-pusher sandbox` that is the address it prints, `demo` and `demo`.

#![allow(dead_code, unreachable_pub, reason = "each example takes what it needs")]

use std::{env, error::Error};

use vms_pusher::{Secret, Tls, VmsApi, VmsClientInfo, VmsCredentials, VmsPusherConfig};

/// Logs in, and asks where the socket is.
pub async fn log_in() -> Result<VmsPusherConfig, Box<dyn Error>> {
    let api = VmsApi::new(&env::var("VMS_URL")?, Tls::platform(), &VmsClientInfo::default())?;
    log_in_as(&api, &credentials()?).await
}

/// The same for whomever.
pub async fn log_in_as(api: &VmsApi, who: &VmsCredentials) -> Result<VmsPusherConfig, Box<dyn Error>> {
    let login = api.login(who).await?;
    let socket = api.with_token(&login.access_token)?.socket_url().await?;
    Ok(VmsPusherConfig {
        base_url: env::var("VMS_URL")?,
        socket_url: socket.ws_url,
        app_key: socket.app_key,
        user_token: login.access_token,
        user_id: login.user.id,
        access_token_id: login.user.access_token_id.ok_or("the session has no id")?,
        ..VmsPusherConfig::default()
    })
}

/// Who logs in.
pub fn credentials() -> Result<VmsCredentials, env::VarError> {
    Ok(VmsCredentials::new(env::var("VMS_LOGIN")?, Secret::new(env::var("VMS_PASSWORD")?)))
}

//! Several accounts in one program: one client each, with their events merged. `VMS_LOGINS` lists the logins,
//! separated by commas; they share `VMS_PASSWORD`.

#![allow(clippy::print_stdout, reason = "an example shows what it gets")]

mod common;

use std::{env, time::Duration};

use tokio::task::JoinSet;
use vms_pusher::{Secret, Tls, VmsApi, VmsClientInfo, VmsCredentials, VmsPusherApi, VmsSocketItem};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // One `Tls` for all: they share certificates and TLS sessions.
    let tls = Tls::platform();
    let api = VmsApi::new(&env::var("VMS_URL")?, tls.clone(), &VmsClientInfo::default())?;
    let mut accounts = JoinSet::new();
    for name in env::var("VMS_LOGINS")?.split(',') {
        let who = VmsCredentials::new(name, Secret::new(env::var("VMS_PASSWORD")?));
        let mut config = common::log_in_as(&api, &who).await?;
        config.options.tls = tls.clone();
        accounts.spawn(listen(name.to_owned(), VmsPusherApi::new(config)?));
    }
    while let Some(ended) = accounts.join_next().await {
        println!("{} is logged out", ended?);
    }
    Ok(())
}

async fn listen(name: String, vms: VmsPusherApi) -> String {
    let mut events = vms.events();
    vms.connect();
    while let Some(item) = events.next().await {
        if let VmsSocketItem::AppSocket(push) = item {
            println!("{name}: {}", push.name());
        }
    }
    vms.close(Duration::from_secs(2)).await;
    name
}

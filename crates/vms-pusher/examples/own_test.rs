//! A test of your own program, against a simulated VMS in the same process: no network, no account, no waiting.

#![allow(clippy::print_stdout, reason = "an example shows what it gets")]

use std::time::Duration;

use vms_pusher::{Secret, VmsAppSocketData, VmsPusherApi, VmsPusherConfig, VmsSocketItem};
use vms_sandbox::{Push, Sandbox, SandboxConfig, Target};

/// The program: counts the marks until the session ends.
async fn count_marks(vms: VmsPusherApi) -> usize {
    let (mut events, mut marks) = (vms.events(), 0);
    vms.connect();
    while let Some(item) = events.next().await {
        marks += usize::from(matches!(item, VmsSocketItem::AppSocket(VmsAppSocketData::EventCreated(_))));
    }
    marks
}

/// The test; in your own program it has `#[tokio::test]` above it.
async fn every_mark_is_counted() -> Result<(), Box<dyn std::error::Error>> {
    let patience = Duration::from_secs(30);
    let sandbox = Sandbox::start(SandboxConfig::default()).await?;
    let session = sandbox.sessions().pop().ok_or("it has a session")?;
    let vms = VmsPusherApi::new(VmsPusherConfig {
        base_url: sandbox.base_url(),
        socket_url: sandbox.socket_url(),
        app_key: sandbox.app_key().to_owned(),
        user_token: Secret::new(session.access_token.clone()),
        user_id: session.user_id,
        access_token_id: session.access_token_id.clone(),
        ..VmsPusherConfig::default()
    })?;
    let play = async {
        sandbox.wait_subscribed(&session, patience).await?;
        for _ in 0..3 {
            sandbox.push(Push::new("mark_created").to(Target::User(session.user_id))).await?;
        }
        sandbox.log_out(&session.access_token_id, None).await;
        Ok::<_, Box<dyn std::error::Error>>(())
    };
    let (marks, played) = tokio::join!(count_marks(vms), play);
    played?;
    assert_eq!(marks, 3);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    every_mark_is_counted().await?;
    println!("ok");
    Ok(())
}

//! Events that come before an acknowledgement.

use vms_sandbox::{Profile, Sandbox, SandboxConfig};

use crate::{clients::Ws, support::first_session};

/// S13
#[tokio::test]
async fn an_event_may_come_before_the_acknowledgement() {
    let config = SandboxConfig { event_before_acknowledgement: true, ..SandboxConfig::with_profile(Profile::Push1st) };
    let sandbox = Sandbox::start(config).await.unwrap();
    let session = first_session(&sandbox);
    let mut ws = Ws::connect(&sandbox).await;
    let channel = session.token_channel();
    ws.subscribe_with(&channel, &sandbox.sign(&ws.socket_id, &channel)).await;
    assert_eq!(ws.event().await["event"], r"App\Events\TokenPush");
    assert_eq!(ws.event().await["event"], "pusher_internal:subscription_succeeded");
}

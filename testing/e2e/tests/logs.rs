//! What reaches the log of a process in which nothing goes wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure ends the test")]

use e2e::{Consumer, LogRecord, ProcessLog};
use serde_json::json;
use tracing::Level;
use vms_pusher::{GroupSync, Secret, Tls, VmsApi, VmsClientInfo, VmsCredentials, VmsPusherConfig, VmsSocketItem};
use vms_sandbox::{Push, Sandbox, SandboxConfig, Target, UserConfig};

const USER_ID: i64 = 4_242_424_242;
const PASSWORD: &str = "canary-password";
const PLATE: &str = "CANARY777";

/// The server's side.
const OF_OTHERS: [&str; 2] = ["channels_sandbox", "vms_sandbox"];

// I38, I39, K09, Q01, Q04, Q08: the log of our crates and of all they use, at every level; the log itself calls the API.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_without_faults_warns_of_nothing_and_logs_neither_secret_nor_payload() {
    let log = ProcessLog::start();
    let users = vec![UserConfig::new(USER_ID, "canary", PASSWORD)];
    let sandbox = Sandbox::start(SandboxConfig { users, ..SandboxConfig::default() }).await.unwrap();
    let config = log_in(&sandbox).await;
    let (token, token_id) = (config.user_token.expose().to_owned(), config.access_token_id.clone());
    let mut consumer = Consumer::connect(config);
    let api = consumer.api.clone();
    log.on_record(move || {
        let _ = (api.is_connected(), api.socket_id(), api.state(), api.counters());
    });

    consumer.subscribed().await;
    let socket_id = consumer.api.socket_id().unwrap();
    assert_eq!(consumer.api.rest().sync_groups(17, &[1, 2]).await.unwrap(), GroupSync::Async);
    let plate = json!({"id": 1, "license_plate": PLATE});
    let push = Push::new("analytic_case_license_plate_event_created").to(Target::User(USER_ID)).data(plate);
    sandbox.push(push).await.unwrap();
    consumer.until(|item| format!("{item:?}").contains(PLATE).then_some(())).await;
    consumer.api.disconnect();
    consumer.until(|item| matches!(item, VmsSocketItem::ConnectionState { .. }).then_some(())).await;

    let mut records = log.records();
    records.retain(|record| !OF_OTHERS.iter().any(|other| record.target.starts_with(other)));
    assert!(records.iter().any(|record| record.target.starts_with("channels_client")), "the log is not heard");
    let alarming = |record: &&LogRecord| record.level <= Level::WARN && !record.is_span;
    assert_eq!(records.iter().find(alarming).map(|record| &record.text), None);
    let channels = [format!("private-token.{token_id}"), format!("private-user.{USER_ID}")];
    let signatures = channels.map(|channel| sandbox.sign(&socket_id, &channel));
    let signatures = signatures.each_ref().map(|signature| signature.split_once(':').unwrap().1);
    for secret in [&token, PASSWORD, sandbox.app_secret(), signatures[0], signatures[1]] {
        assert_eq!(find(&records, secret, Level::TRACE), None, "{secret} is in the log");
    }
    for personal in [PLATE, &token_id, &USER_ID.to_string()] {
        assert_eq!(find(&records, personal, Level::DEBUG), None, "{personal} is in the log");
    }
}

/// The first record down to this level that holds the text.
fn find<'r>(records: &'r [LogRecord], text: &str, down_to: Level) -> Option<(&'r str, &'r str)> {
    let found = records.iter().find(|record| record.level <= down_to && record.text.contains(text));
    found.map(|record| (record.target.as_str(), record.text.as_str()))
}

async fn log_in(sandbox: &Sandbox) -> VmsPusherConfig {
    let api = VmsApi::new(&sandbox.base_url(), Tls::platform(), &VmsClientInfo::default()).unwrap();
    let login = api.login(&VmsCredentials::new("canary", Secret::new(PASSWORD))).await.unwrap();
    VmsPusherConfig {
        base_url: sandbox.base_url(),
        socket_url: sandbox.socket_url(),
        app_key: sandbox.app_key().to_owned(),
        user_token: login.access_token,
        user_id: login.user.id,
        access_token_id: login.user.access_token_id.unwrap(),
        ..VmsPusherConfig::default()
    }
}

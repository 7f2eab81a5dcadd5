//! A program that is nothing but a client with TLS, authorization and typed events. Its size on disk, built with the
//! profile `size` and stripped, is what the client adds to an app.

use std::hint::black_box;
use std::process::ExitCode;

use vms_pusher::{Secret, VmsPusherApi, VmsPusherConfig};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().unwrap_or_default();
    let config = VmsPusherConfig {
        base_url: next(),
        socket_url: next(),
        app_key: next(),
        user_token: Secret::new(next()),
        user_id: next().parse().unwrap_or(-1),
        access_token_id: next(),
        ..VmsPusherConfig::default()
    };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return ExitCode::FAILURE;
    };
    let guard = runtime.enter();
    let Ok(api) = VmsPusherApi::new(config) else { return ExitCode::FAILURE };
    drop(guard);
    let mut events = api.events();
    api.connect();
    runtime.block_on(async {
        while let Some(item) = events.next().await {
            black_box(item);
        }
    });
    ExitCode::SUCCESS
}

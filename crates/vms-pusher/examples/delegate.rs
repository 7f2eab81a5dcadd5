//! Events through a delegate, as in the mobile SDKs: its methods are called one at a time, and may block.

#![allow(clippy::print_stdout, reason = "an example shows what it gets")]

mod common;

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;
use vms_pusher::{
    ConnectionState, PusherError, VmsAppSocketData, VmsIntercomSocketData, VmsPusherApi, VmsSocketManagerDelegate,
};

#[derive(Default)]
struct App {
    is_over: Notify,
}

impl VmsSocketManagerDelegate for App {
    fn changed_connection_state(&self, from: ConnectionState, to: ConnectionState) {
        println!("{from} -> {to}");
        if to == ConnectionState::Disconnected {
            self.is_over.notify_one();
        }
    }

    fn received_error(&self, error: PusherError) {
        println!("{error}");
    }

    fn received_app_socket(&self, socket: VmsAppSocketData) {
        println!("{}", socket.name());
    }

    fn received_intercom_socket(&self, socket: VmsIntercomSocketData) {
        println!("{}", socket.name());
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let vms = VmsPusherApi::new(common::log_in().await?)?;
    // The client holds it weakly, so the app has to keep it.
    let app = Arc::new(App::default());
    vms.set_delegate(&app);
    vms.connect();
    app.is_over.notified().await;
    vms.close(Duration::from_secs(2)).await;
    Ok(())
}

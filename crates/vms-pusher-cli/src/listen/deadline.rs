use std::time::Duration;

use tokio::time::Instant;

use super::{advice, print::Printer};
use crate::failure::{Exit, Failure};

/// Until when an account has to be subscribed to a channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    /// None where it is tried for ever.
    at: Option<Instant>,
    after: Duration,
}

impl Deadline {
    pub(super) fn new(timeout: Option<Duration>) -> Self {
        let at = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        Self { at, after: timeout.unwrap_or_default() }
    }

    /// It was kept.
    pub(super) const fn is_met(&mut self) {
        self.at = None;
    }

    /// Waits until it has passed.
    pub(super) async fn passed(self) {
        match self.at {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    /// Returns what to say when it has passed.
    pub(super) fn failure(self, printer: &Printer<'_>) -> Failure {
        let (server, seconds) = (&printer.servers.socket, self.after.as_secs_f64());
        let message = format!("no channel of {server} was subscribed within {seconds} s");
        match printer.last_error() {
            Some(error) => {
                Failure::new(Exit::Unreachable, format!("{message}: {error}")).tip(advice::tip(error)).because(error)
            }
            None => Failure::new(Exit::Unreachable, message).tip("try a longer --connect-timeout"),
        }
    }
}

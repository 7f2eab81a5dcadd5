//! The signal to stop.

use tokio::sync::watch;

/// Whether a server should stop. Clones share their state.
#[derive(Clone, Debug)]
pub(crate) struct Stop(watch::Sender<bool>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Stop {
    pub(crate) fn set(&self, stopping: bool) {
        self.0.send_replace(stopping);
    }

    pub(crate) fn is_set(&self) -> bool {
        *self.0.borrow()
    }

    pub(crate) fn listen(&self) -> Stopping {
        Stopping(self.0.subscribe())
    }
}

/// A task's receiver of the signal to stop.
#[derive(Debug)]
pub(crate) struct Stopping(watch::Receiver<bool>);

impl Stopping {
    /// Returns when the server should stop.
    pub(crate) async fn asked(&mut self) {
        let _ = self.0.wait_for(|stopping| *stopping).await;
    }
}

//! The word to stop.

use tokio::sync::watch;

/// Whether a server is to stop. Clones are one.
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

/// A task's ear for the word to stop.
#[derive(Debug)]
pub(crate) struct Stopping(watch::Receiver<bool>);

impl Stopping {
    /// Ends when the server is to stop.
    pub(crate) async fn asked(&mut self) {
        let _ = self.0.wait_for(|stopping| *stopping).await;
    }
}

//! Notifications of changes, for those who wait for a state.

use std::time::Duration;

use tokio::{sync::watch, time::timeout};

/// Notifies those who wait that something changed. Clones share their state.
#[derive(Clone, Debug)]
pub struct Changes(watch::Sender<u64>);

impl Default for Changes {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Changes {
    /// Reports that something changed.
    pub fn touch(&self) {
        self.0.send_modify(|revision| *revision += 1);
    }

    /// Calls `look` after every change until its state is as `wanted`.
    ///
    /// # Errors
    ///
    /// The last state, if it is not as wanted within `patience`.
    pub async fn wait_until<S>(
        &self,
        patience: Duration,
        look: impl Fn() -> S,
        mut wanted: impl FnMut(&S) -> bool,
    ) -> Result<S, S> {
        let mut revisions = self.0.subscribe();
        let reached = async {
            loop {
                revisions.mark_unchanged();
                let state = look();
                // The sender is borrowed, so there is always another revision to come.
                if wanted(&state) || revisions.changed().await.is_err() {
                    return state;
                }
            }
        };
        timeout(patience, reached).await.map_err(|_| look())
    }
}

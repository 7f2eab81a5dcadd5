use tokio::task::{AbortHandle, JoinError, JoinSet};

/// A `JoinSet` that is there only while it has something to do.
pub(super) struct JobSet<T>(Option<JoinSet<T>>);

impl<T: Send + 'static> JobSet<T> {
    pub(super) const fn new() -> Self {
        Self(None)
    }

    pub(super) fn spawn(&mut self, job: impl Future<Output = T> + Send + 'static) -> AbortHandle {
        self.0.get_or_insert_with(JoinSet::new).spawn(job)
    }

    /// Waits until a job has ended; none when there is no job.
    pub(super) async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        let jobs = self.0.as_mut()?;
        let ended = jobs.join_next().await;
        if jobs.is_empty() {
            self.0 = None;
        }
        ended
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn abort_all(&mut self) {
        if let Some(jobs) = &mut self.0 {
            jobs.abort_all();
        }
    }
}

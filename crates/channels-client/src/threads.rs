//! Blocking work, on a few dedicated threads. The runtime's pool for such work also runs the handlers, and a handler
//! may block for as long as it likes.

use std::{
    collections::VecDeque,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// Threads that are started when there is work, up to a limit, and end when there has been none for a second.
pub(crate) struct Threads {
    name: &'static str,
    most: usize,
    crew: Mutex<Crew>,
    work: Condvar,
}

struct Crew {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
}

impl Threads {
    /// `most` is at least one.
    pub(crate) const fn new(name: &'static str, most: usize) -> Self {
        let crew = Crew { jobs: VecDeque::new(), threads: 0, idle: 0 };
        Self { name, most, crew: Mutex::new(crew), work: Condvar::new() }
    }

    /// Runs `job`, after those that were given before.
    ///
    /// # Errors
    /// When there is no thread and the operating system gives none; the job is then not done.
    pub(crate) fn start(&'static self, job: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let mut crew = self.lock();
        crew.jobs.push_back(Box::new(job));
        if crew.idle < crew.jobs.len() && crew.threads < self.most {
            let thread = thread::Builder::new().name(self.name.to_owned()).spawn(|| self.work());
            match thread {
                Ok(_) => crew.threads += 1,
                // Those that are there come to it.
                Err(_) if crew.threads > 0 => {}
                Err(error) => {
                    let undone = crew.jobs.pop_back();
                    drop((crew, undone));
                    return Err(error);
                }
            }
        }
        drop(crew);
        self.work.notify_one();
        Ok(())
    }

    /// Runs `work` and returns its result.
    ///
    /// # Errors
    /// As [`start`](Self::start), and when it panics.
    pub(crate) async fn run<R: Send + 'static>(
        &'static self,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> io::Result<R> {
        let (teller, told) = oneshot::channel();
        self.start(move || {
            // Nobody may wait for it any more.
            let _ = teller.send(work());
        })?;
        told.await.map_err(|_| io::Error::other("it was interrupted by a bug"))
    }

    fn work(&self) {
        let mut crew = self.lock();
        loop {
            if let Some(job) = crew.jobs.pop_front() {
                drop(crew);
                // Whoever waits for a job that panics is told by what it drops.
                let _ = catch_unwind(AssertUnwindSafe(job));
                crew = self.lock();
                continue;
            }
            crew.idle += 1;
            let waited = self.work.wait_timeout(crew, LONGEST_IDLE).unwrap_or_else(PoisonError::into_inner);
            crew = waited.0;
            crew.idle -= 1;
            if waited.1.timed_out() && crew.jobs.is_empty() {
                crew.threads -= 1;
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Crew> {
        // Nothing that can panic runs under the lock.
        self.crew.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const LONGEST_IDLE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Barrier, mpsc};

    use super::*;

    /// Waits until no thread is left, for as long as a slow machine may take.
    fn is_empty_soon(threads: &Threads) -> bool {
        let count = || threads.lock().threads;
        (0..3_000).any(|_| {
            thread::sleep(Duration::from_millis(10));
            count() == 0
        })
    }

    // Y08
    #[test]
    fn there_are_no_more_threads_than_allowed_and_none_when_there_is_no_work() {
        static THREADS: Threads = Threads::new("few", 3);
        for _ in 0..2 {
            let door = Arc::new(Barrier::new(4));
            for _ in 0..3 {
                let door = Arc::clone(&door);
                THREADS
                    .start(move || {
                        door.wait();
                    })
                    .unwrap();
            }
            let (teller, told) = mpsc::sync_channel(100);
            for number in 0..100 {
                let teller = teller.clone();
                THREADS.start(move || teller.send(number).unwrap()).unwrap();
            }
            assert_eq!(THREADS.lock().threads, 3);
            assert_eq!(told.try_recv().ok(), None);
            door.wait();
            let mut done: Vec<u32> = (0..100).map(|_| told.recv_timeout(Duration::from_secs(30)).unwrap()).collect();
            done.sort_unstable();
            assert!(done.into_iter().eq(0..100));
            assert!(is_empty_soon(&THREADS));
        }
    }

    #[tokio::test]
    async fn work_that_panics_is_an_error_and_costs_no_thread() {
        static THREADS: Threads = Threads::new("panicking", 1);
        for _ in 0..3 {
            let result = THREADS.run(|| assert!(THREADS.name.is_empty(), "on purpose")).await;
            assert_eq!(result.unwrap_err().to_string(), "it was interrupted by a bug");
        }
        assert_eq!(THREADS.run(|| 7).await.unwrap(), 7);
    }
}

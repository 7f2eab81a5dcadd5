//! Ctrl-C and SIGTERM.

use std::time::Duration;

use tokio::{sync::watch, task::JoinSet};

use crate::failure::{Exit, Failure};

/// Reports that the program was asked to end, and makes sure that it does.
pub(crate) struct Stop {
    ask: watch::Sender<Option<Exit>>,
    asked: watch::Receiver<Option<Exit>>,
    _listener: JoinSet<()>,
}

impl Stop {
    /// Listens for signals from now on. Must be called on a runtime.
    pub(crate) fn install() -> Result<Self, Failure> {
        let mut signals =
            Signals::new().map_err(|error| Failure::new(Exit::Other, format!("cannot listen for signals: {error}")))?;
        let (ask, asked) = watch::channel(None);
        let mut listener = JoinSet::new();
        let of_signal = ask.clone();
        listener.spawn(async move {
            let exit = signals.next().await;
            of_signal.send_replace(Some(exit));
            // The program may be stuck in a write that nobody reads; a second signal means "now".
            let again = tokio::time::timeout(GRACE, signals.next()).await;
            std::process::exit(again.unwrap_or(exit).code().into());
        });
        Ok(Self { ask, asked, _listener: listener })
    }

    /// Asks the program to end, as gracefully as a signal does; does nothing if it was asked already.
    pub(crate) fn ask(&self, exit: Exit) {
        self.ask.send_if_modified(|asked| {
            let is_first = asked.is_none();
            asked.get_or_insert(exit);
            is_first
        });
    }

    /// Waits until the program is asked to end, and returns what it then ends with.
    pub(crate) async fn asked(&self) -> Exit {
        asked(self.asked.clone()).await
    }

    /// Returns what the program is to end with, once it has been asked to.
    pub(crate) fn is_asked(&self) -> Option<Exit> {
        *self.asked.borrow()
    }

    /// Has another thread do `work` when the program is asked to end, as long as the guard lives: this one may be stuck in
    /// a write. `work` must be short.
    pub(crate) fn when_asked(&self, work: impl FnOnce() + Send + 'static) -> WhenAsked {
        let asked = asked(self.asked.clone());
        let mut task = JoinSet::new();
        task.spawn(async move {
            asked.await;
            work();
        });
        WhenAsked { _task: task }
    }

    /// Does `work` that may wait for a file or a person; asked to end meanwhile, the program does at once.
    pub(crate) fn waiting<T>(&self, work: impl FnOnce() -> T) -> T {
        self.waiting_tidily(|| (), work)
    }

    /// The same, after `tidy`.
    pub(crate) fn waiting_tidily<T>(&self, tidy: impl FnOnce() + Send + 'static, work: impl FnOnce() -> T) -> T {
        let asked = self.asked.clone();
        let _end = self.when_asked(move || {
            tidy();
            let exit = asked.borrow().unwrap_or(Exit::Interrupted);
            std::process::exit(exit.code().into());
        });
        work()
    }
}

async fn asked(mut asked: watch::Receiver<Option<Exit>>) -> Exit {
    let exit = asked.wait_for(Option::is_some).await.map(|exit| *exit);
    match exit {
        Ok(exit) => exit.unwrap_or(Exit::Interrupted),
        Err(_) => std::future::pending().await,
    }
}

/// What another thread does at the end: see [`Stop::when_asked`].
pub(crate) struct WhenAsked {
    _task: JoinSet<()>,
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> Exit {
        tokio::select! {
            _ = self.interrupt.recv() => Exit::Interrupted,
            _ = self.terminate.recv() => Exit::Done,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Exit {
        let _ = tokio::signal::ctrl_c().await;
        Exit::Interrupted
    }
}

/// Longer than any graceful end takes.
const GRACE: Duration = Duration::from_secs(2);

//! `listen`: the events of a VMS, as they come, for one account or several.

mod account;
mod advice;
mod deadline;
mod discovery;
mod end_detector;
mod gaps;
mod lines;
mod open;
mod print;
mod repeats;
mod session;
mod wait;

use std::{cell::RefCell, pin::Pin, rc::Rc, task::Poll, time::Duration};

pub(crate) use self::open::client_info;
use self::{lines::Lines, print::Printer};
use crate::{
    failure::{Exit, Failure},
    output::Output,
    settings::{Account, ListenSettings},
    stop::Stop,
};

/// An account at work, and how that ended.
type Running<'a> = Pin<Box<dyn Future<Output = (&'a Account, Result<Exit, Failure>)> + 'a>>;

/// Listens until it is asked to end, the time is up, the events that were wanted have come, or no account is left.
pub(crate) async fn run(settings: ListenSettings, output: &mut Output, stop: &Stop) -> Result<Exit, Failure> {
    let lines = Rc::new(RefCell::new(Lines::new(output, &settings, stop)));
    let start = |account| -> Running<'_> {
        let (settings, lines) = (&settings, Rc::clone(&lines));
        Box::pin(async move { (account, account::listen(account, settings, lines, stop).await) })
    };
    let mut running: Vec<_> = settings.accounts.iter().map(start).collect();
    let mut curfew = std::pin::pin!(tokio::time::sleep(settings.limit.unwrap_or(A_LONG_TIME)));
    let (mut time_is_up, mut failures) = (false, Vec::new());
    while !running.is_empty() {
        tokio::select! {
            biased;
            () = &mut curfew, if settings.limit.is_some() && stop.is_asked().is_none() => {
                time_is_up = true;
                stop.ask(Exit::Done);
            }
            (account, ended) = next_ended(&mut running) => match ended {
                Ok(_) => {}
                Err(failure @ Failure::Output(_)) => return Err(failure),
                Err(failure) => {
                    let failure = account.name.iter().fold(failure, |failure, name| failure.of(name));
                    if settings.accounts.len() > 1 {
                        lines.borrow_mut().failure(account.name.as_deref(), &failure)?;
                    }
                    failures.push(failure);
                }
            },
        }
    }
    let missing = lines.borrow().left();
    let is_wanted = !time_is_up && (missing > 0 || settings.count.is_none());
    match stop.is_asked().filter(|_| is_wanted) {
        Some(by_signal) => Ok(by_signal),
        None => outcome(&settings, failures, missing),
    }
}

/// What it ends with when no signal has ended it.
fn outcome(settings: &ListenSettings, failures: Vec<Failure>, missing: u64) -> Result<Exit, Failure> {
    let (failed, all) = (failures.len(), settings.accounts.len());
    match (failures.into_iter().next(), settings.count) {
        (Some(first), _) if all == 1 => Err(first),
        (Some(first), _) => Err(first.of(&format!("{failed} of {all} accounts ended early, first"))),
        (None, Some(count)) if missing > 0 => Err(too_few(count.saturating_sub(missing), count)),
        (None, _) => Ok(Exit::Done),
    }
}

/// Waits for one of them to end, and takes it out.
async fn next_ended<'a>(running: &mut Vec<Running<'a>>) -> (&'a Account, Result<Exit, Failure>) {
    std::future::poll_fn(|cx| {
        for place in 0..running.len() {
            if let Some(Poll::Ready(ended)) = running.get_mut(place).map(|account| account.as_mut().poll(cx)) {
                drop(running.swap_remove(place));
                return Poll::Ready(ended);
            }
        }
        Poll::Pending
    })
    .await
}

fn too_few(printed: u64, wanted: u64) -> Failure {
    Failure::new(Exit::Other, format!("the time is up, and {printed} of {wanted} events have arrived"))
        .tip("try a longer --for; --only and --not say which events count")
}

const A_LONG_TIME: Duration = Duration::from_secs(24 * 3600);

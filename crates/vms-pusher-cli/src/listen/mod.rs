//! `listen`: the events of a VMS, as they come.

mod advice;
mod discovery;
mod gaps;
mod open;
mod print;
mod repeats;
mod session;
mod verdict;
mod wait;

use tokio::time::Instant;

pub(crate) use self::open::client_info;
use self::{
    gaps::Gaps,
    open::Opener,
    print::Printer,
    session::{End, Session},
};
use crate::{
    failure::{Exit, Failure},
    output::Output,
    settings::ListenSettings,
    stop::Stop,
};

/// Listens in one session after the other: whoever can log in opens another when the server takes one for ended.
pub(crate) async fn run(settings: ListenSettings, output: &mut Output, stop: &Stop) -> Result<Exit, Failure> {
    let opener = Opener::new(&settings)?;
    let mut printer = Printer::new(output, &settings);
    let mut gaps = Gaps::default();
    let mut waits = open::waits();
    loop {
        let config = tokio::select! {
            exit = stop.asked() => return Ok(exit),
            config = opener.open(&mut printer) => config?,
        };
        let began = Instant::now();
        let session = Session::begin(config, &settings, &mut printer, &mut gaps, stop)?;
        match session.run().await? {
            End::Asked(exit) => return Ok(exit),
            End::Invalid => {}
        }
        if began.elapsed() >= waits.longest() {
            waits = open::waits();
        }
        let next = waits.next(None);
        printer
            .info(format!("the session is no longer valid; the next login follows in {:.1} s", next.as_secs_f32()))?;
        tokio::select! {
            exit = stop.asked() => return Ok(exit),
            () = tokio::time::sleep(next) => {}
        }
    }
}

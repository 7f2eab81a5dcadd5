use std::{cell::RefCell, rc::Rc};

use tokio::time::Instant;

use super::{
    deadline::Deadline,
    gaps::Gaps,
    lines::Lines,
    open::{self, Opener},
    print::Printer,
    session::{End, Session},
};
use crate::{
    failure::{Exit, Failure},
    settings::{Account, ListenSettings},
    stop::Stop,
};

/// Listens in one session after the other: whoever can log in opens another when the server takes one for ended.
pub(super) async fn listen<'a>(
    account: &'a Account,
    settings: &'a ListenSettings,
    lines: Rc<RefCell<Lines<'a>>>,
    stop: &'a Stop,
) -> Result<Exit, Failure> {
    let mut deadline = Deadline::new(settings.connect_timeout);
    let opener = Opener::new(account)?;
    let mut printer = Printer::new(lines, account, settings.name_width());
    let mut gaps = Gaps::default();
    let mut waits = open::waits();
    loop {
        let config = tokio::select! {
            exit = stop.asked() => return Ok(exit),
            () = deadline.passed() => return Err(deadline.failure(&printer)),
            config = opener.open(&mut printer) => config?,
        };
        let began = Instant::now();
        let session = Session::begin(config, account, &mut printer, &mut gaps, stop, deadline)?;
        match session.run().await? {
            End::Asked(exit) => return Ok(exit),
            End::Invalid => deadline.is_met(),
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

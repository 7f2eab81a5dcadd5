//! Commands for a running sandbox beside `push` and `cut`: its sessions, its faults, and how it stands.

mod state;

use serde_json::{Value, json};
use vms_sandbox::{Affected, LogoutRequest, SandboxState, TokenStatus, TokenStatusRequest};

use crate::{
    args::{ExpireArgs, FaultArgs, LogoutArgs, StateArgs},
    control::Control,
    failure::{Exit, Failure},
    output::{Output, json, text::counted},
    settings,
};

pub(crate) async fn log_out(args: LogoutArgs, output: &mut Output) -> Result<Exit, Failure> {
    let control = Control::new(&args.sandbox)?;
    let request = LogoutRequest { session: args.session, subject: args.subject };
    let Affected { sockets: sessions } = control.order("logout", &request).await?;
    output.data(&format!("ended {}", count(sessions, "session", "sessions")))?;
    tell_of_none(sessions, output);
    Ok(Exit::Done)
}

pub(crate) async fn expire(args: ExpireArgs, output: &mut Output) -> Result<Exit, Failure> {
    let control = Control::new(&args.sandbox)?;
    let (status, done) =
        if args.undo { (TokenStatus::Valid, "made valid again") } else { (TokenStatus::Expired, "expired") };
    let request = TokenStatusRequest { session: args.session, status };
    let Affected { sockets: sessions } = control.order("token_status", &request).await?;
    output.data(&format!("{done}: {}", count(sessions, "token", "tokens")))?;
    tell_of_none(sessions, output);
    Ok(Exit::Done)
}

pub(crate) async fn fault(args: FaultArgs, output: &mut Output) -> Result<Exit, Failure> {
    let fault = settings::fault(&args)?;
    let control = Control::new(&args.sandbox)?;
    match fault {
        None => {
            let _: Value = control.delete("faults").await?;
            output.data("all faults cleared")?;
        }
        Some(fault) => {
            let _: Value = control.order("fault", &fault).await?;
            let often = match fault.times {
                0 => "until `vms-pusher fault --clear`".to_owned(),
                times => counted(times.into(), "time", "times"),
            };
            output.data(&format!("injected, to apply {often}"))?;
        }
    }
    Ok(Exit::Done)
}

pub(crate) async fn state(args: StateArgs, output: &mut Output) -> Result<Exit, Failure> {
    let control = Control::new(&args.sandbox)?;
    let state: SandboxState = control.get("state").await?;
    let text = if args.json {
        json::line(&json!(state)).map_err(|error| Failure::new(Exit::Other, error))?
    } else {
        state::to_text(&state)
    };
    output.data(&text)?;
    Ok(Exit::Done)
}

fn tell_of_none(sessions: usize, output: &mut Output) {
    if sessions == 0 {
        output.warning("there is no such session; `vms-pusher state` lists the sessions");
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    counted(number.try_into().unwrap_or(u64::MAX), one, many)
}

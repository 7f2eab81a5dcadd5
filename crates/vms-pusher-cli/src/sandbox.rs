//! `sandbox`: runs a local VMS simulator until it is stopped.

mod needed;

use std::time::Duration;

use tokio::{sync::broadcast::error::RecvError, task::JoinSet};
use vms_sandbox::{Activity, Sandbox, SandboxError, SandboxState, Scenario, Session, TokenStatus, scenario::Action};

use needed::Needed;

use crate::{
    clock,
    failure::{Exit, Failure},
    output::{
        Output, escape, json,
        text::{Tone, counted, paint},
        times,
    },
    settings::{Day, SandboxSettings},
    stop::Stop,
};

pub(crate) async fn run(settings: SandboxSettings, output: &mut Output, stop: &Stop) -> Result<Exit, Failure> {
    let driven = settings.config.control;
    let sandbox = start(settings.config).await?;
    let session = sandbox.sessions().into_iter().next();
    let session = session.ok_or_else(|| Failure::new(Exit::Other, "the sandbox opened no session"))?;
    let needed = Needed::new(&sandbox, &session, &settings.users, settings.trust.as_ref());
    if settings.json {
        output.data(&json::line(&needed).map_err(|error| Failure::new(Exit::Other, error))?)?;
    } else {
        output.data(&needed.to_text(driven))?;
    }
    if !driven {
        output.warning(
            "`push`, `cut` and the like work on loopback addresses only, unless --allow-remote-control is given",
        );
    }
    let sandbox = std::sync::Arc::new(sandbox);
    let mut activity = sandbox.activity();
    let mut days = JoinSet::new();
    if settings.day != Day::None {
        days.spawn(play(std::sync::Arc::clone(&sandbox), settings.day));
    }
    let exit = loop {
        let happened = tokio::select! {
            biased;
            exit = stop.asked() => break exit,
            Some(over) = days.join_next() => {
                if let Ok(Err(told)) = over {
                    output.warning(&told);
                }
                continue;
            }
            happened = activity.recv() => happened,
        };
        match happened {
            Ok(activity) if !settings.quiet => output.note(&activity_line(&activity)),
            Ok(_) => {}
            Err(RecvError::Lagged(missed)) => {
                output.warning(&format!("{} left out", counted(missed, "line was", "lines were")));
            }
            Err(RecvError::Closed) => break Exit::Done,
        }
    };
    // A graceful stop waits for clients that may not answer.
    let _ = tokio::time::timeout(PATIENCE, sandbox.stop()).await;
    Ok(exit)
}

pub(crate) async fn start(config: vms_sandbox::SandboxConfig) -> Result<Sandbox, Failure> {
    Sandbox::start(config).await.map_err(|error| match &error {
        SandboxError::Bind { .. } => {
            Failure::new(Exit::Other, &error).tip("is another one running? --bind 127.0.0.1:0 picks a free port")
        }
        SandboxError::Config { .. } | SandboxError::Tls { .. } => Failure::usage(&error),
        _ => Failure::new(Exit::Other, &error),
    })
}

fn activity_line(activity: &Activity) -> String {
    let told = activity.to_string();
    format!("{}  {}", paint(Tone::Quiet, &times::date_and_clock(clock::now())), escape::line(&told))
}

/// Plays what was asked for, each day as soon as a client is there. The error is what to tell.
async fn play(sandbox: std::sync::Arc<Sandbox>, day: Day) -> Result<(), String> {
    loop {
        let session = listener(&sandbox).await;
        let mut scenario = Scenario::day(&session);
        if day == Day::Everyday {
            scenario.steps.retain(|step| !matches!(step.action, Action::LogOut { .. }));
        }
        let played = scenario.play(&sandbox, 1.0).await;
        if day == Day::One {
            // The command line that was printed must go on working.
            sandbox.set_token_status(&session.access_token_id, TokenStatus::Valid);
            return played.map_err(|error| format!("the day was cut short: {error}"));
        }
    }
}

/// Waits for a session to be subscribed to its channel: the one that was printed, or one of a login.
async fn listener(sandbox: &Sandbox) -> Session {
    let find = |state: &SandboxState| {
        let listens = |session: &Session| state.subscribers(&session.token_channel()) > 0;
        sandbox.sessions().into_iter().find(listens)
    };
    loop {
        let waited = sandbox.wait_until(A_LONG_TIME, |state| find(state).is_some()).await;
        if let Some(session) = waited.ok().as_ref().and_then(find) {
            return session;
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(1);
const A_LONG_TIME: Duration = Duration::from_secs(3600);

//! `demo`: sandbox and client in one process, so that a newcomer sees what there is.

mod day;
mod order;
mod reload;
mod stage;
mod summary;

use std::{pin::Pin, time::Duration};

use tokio::{sync::broadcast, time::Instant};
use vms_pusher::{ConnectionState, Secret, VmsApi, VmsEvents, VmsPusherApi, VmsPusherConfig, VmsSocketItem};
use vms_sandbox::{Activity, Sandbox, SandboxConfig, ScenarioError, Session};

use self::{
    order::{Gathered, News},
    stage::Stage,
    summary::Ended,
};
use crate::{
    args::DemoArgs,
    failure::{Exit, Failure},
    listen::client_info,
    output::Output,
    sandbox,
    stop::Stop,
};

pub(crate) async fn run(args: DemoArgs, output: &mut Output, stop: &Stop) -> Result<Exit, Failure> {
    let sandbox = sandbox::start(SandboxConfig::with_profile(args.profile)).await?;
    let session = sandbox.sessions().into_iter().next();
    let session = session.ok_or_else(|| Failure::new(Exit::Other, "the sandbox opened no session"))?;
    let mut stage = Stage::new(output, args.json);
    stage.raise_curtain(&sandbox)?;
    let mut activity = sandbox.activity();
    let api = tokio::select! {
        exit = stop.asked() => return Ok(exit),
        api = client(&sandbox, &session) => api?,
    };
    // What was asked before the connection belongs before it.
    let mut gathered = Gathered::default();
    let events = api.events();
    gathered.drain(&mut activity);
    stage.tell(gathered.take())?;
    api.connect();
    let scenario = day::of(&session);
    let mut day = Box::pin(scenario.play(&sandbox, args.speed));
    let limit = args.limit.and_then(|limit| Instant::now().checked_add(limit));
    let ended = play(&mut stage, &mut activity, events, day.as_mut(), limit, stop).await?;
    api.disconnect();
    stage.drop_curtain(ended)?;
    Ok(if let Ended::Asked(exit) = ended { exit } else { Exit::Done })
}

/// As any client does it: the server is asked where its sockets are.
async fn client(sandbox: &Sandbox, session: &Session) -> Result<VmsPusherApi, Failure> {
    let config = VmsPusherConfig {
        base_url: sandbox.base_url(),
        user_token: Secret::new(&session.access_token),
        user_id: session.user_id,
        access_token_id: session.access_token_id.clone(),
        ..VmsPusherConfig::default()
    };
    let other = |error: &dyn std::error::Error| Failure::new(Exit::Other, error);
    let api = VmsApi::new(&config.base_url, config.options.tls.clone(), &client_info());
    let api = api.and_then(|api| api.with_token(&config.user_token)).map_err(|error| other(&error))?;
    let found = api.socket_url().await.map_err(|error| other(&error))?;
    VmsPusherApi::new(VmsPusherConfig { socket_url: found.ws_url, app_key: found.app_key, ..config })
        .map_err(|error| other(&error))
}

type Played<'a> = Pin<&'a mut (dyn Future<Output = Result<(), ScenarioError>> + Send)>;

/// Prints what happens on both sides until it is over.
async fn play(
    stage: &mut Stage<'_>,
    activity: &mut broadcast::Receiver<Activity>,
    mut events: VmsEvents,
    mut day: Played<'_>,
    limit: Option<Instant>,
    stop: &Stop,
) -> Result<Ended, Failure> {
    let mut curfew = std::pin::pin!(tokio::time::sleep_until(limit.unwrap_or_else(|| Instant::now() + A_LONG_TIME)));
    let (mut day_is_over, mut client_is_gone, mut stream_is_over) = (false, false, false);
    let mut gathered = Gathered::default();
    while !(day_is_over && client_is_gone && !gathered.is_ready()) {
        let item = tokio::select! {
            biased;
            exit = stop.asked() => return Ok(Ended::Asked(exit)),
            () = std::future::ready(()), if gathered.is_ready() => None,
            heard = activity.recv() => {
                match heard {
                    Ok(activity) => gathered.add(News::Server(activity)),
                    Err(broadcast::error::RecvError::Lagged(missed)) => gathered.add(News::ServerMissed(missed)),
                    Err(broadcast::error::RecvError::Closed) => break,
                }
                None
            }
            item = events.next(), if !stream_is_over => {
                stream_is_over = item.is_none();
                item
            }
            played = &mut day, if !day_is_over => {
                played.map_err(|error| Failure::new(Exit::Other, format!("the day was cut short: {error}")))?;
                day_is_over = true;
                None
            }
            () = &mut curfew => return Ok(Ended::Limit),
        };
        let news = gathered.until_now(item, &mut events, activity).await;
        let is_gone = |news: &News| {
            matches!(news, News::Client(VmsSocketItem::ConnectionState { to: ConnectionState::Disconnected, .. }))
        };
        client_is_gone |= news.iter().any(is_gone);
        stage.tell(news)?;
    }
    stage.tell(gathered.take())?;
    Ok(Ended::Day)
}

const A_LONG_TIME: Duration = Duration::from_secs(24 * 3600);

//! `sandbox`: a VMS on the desk, until it is stopped.

use std::time::Duration;

use serde::Serialize;
use tokio::{sync::broadcast::error::RecvError, task::JoinSet};
use vms_sandbox::{Activity, Sandbox, SandboxError, SandboxState, Scenario, Session, Standing, scenario::Action};

use crate::{
    args::UserArg,
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
    let needed = Needed::new(&sandbox, &session, &settings.users, settings.certificates.as_deref());
    if settings.json {
        output.data(&json::line(&needed).map_err(|error| Failure::new(Exit::Other, error))?)?;
    } else {
        output.data(&needed.to_text(driven))?;
    }
    if !driven {
        output.warning(
            "`push`, `cut` and the like do not work on an address that is not loopback, unless --allow-remote-control",
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
                output.warning(&format!("{} left out", counted(missed, "line is", "lines are")));
            }
            Err(RecvError::Closed) => break Exit::Done,
        }
    };
    // The orderly end waits for clients that may not answer.
    let _ = tokio::time::timeout(PATIENCE, sandbox.stop()).await;
    Ok(exit)
}

pub(crate) async fn start(config: vms_sandbox::SandboxConfig) -> Result<Sandbox, Failure> {
    Sandbox::start(config).await.map_err(|error| match &error {
        SandboxError::Bind { .. } => {
            Failure::new(Exit::Other, &error).tip("is there another one? --bind 127.0.0.1:0 takes a free port")
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
            sandbox.set_standing(&session.access_token_id, Standing::Valid);
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

/// What a client needs.
#[derive(Serialize)]
struct Needed {
    base_url: String,
    socket_url: String,
    app_key: String,
    profile: &'static str,
    user_id: i64,
    access_token_id: String,
    token: String,
    login: String,
    /// Null when it came from a file.
    password: Option<String>,
    users: Vec<Login>,
    #[serde(skip)]
    ca: String,
}

/// A user who may log in.
#[derive(Serialize)]
struct Login {
    id: i64,
    login: String,
    #[serde(skip)]
    password_file: Option<String>,
}

impl Login {
    fn new(user: &UserArg) -> Self {
        let password_file = user.password_file.as_ref().map(|path| path.display().to_string());
        Self { id: user.id, login: user.name.clone(), password_file }
    }

    fn password(&self) -> String {
        self.password_file.as_ref().map_or_else(|| self.login.clone(), |path| format!("in {path}"))
    }

    /// The password for a shell.
    fn in_shell(&self) -> String {
        let from_file = |path| format!("\"$(head -n 1 {})\"", quoted(path));
        self.password_file.as_deref().map_or_else(|| quoted(&self.login), from_file)
    }
}

impl Needed {
    fn new(sandbox: &Sandbox, session: &Session, users: &[UserArg], certificates: Option<&std::path::Path>) -> Self {
        let users: Vec<Login> = users.iter().map(Login::new).collect();
        let first = users.iter().find(|user| user.id == session.user_id);
        Self {
            base_url: sandbox.base_url(),
            socket_url: sandbox.socket_url(),
            app_key: sandbox.app_key().to_owned(),
            profile: sandbox.profile().as_str(),
            user_id: session.user_id,
            access_token_id: session.access_token_id.clone(),
            token: session.access_token.clone(),
            login: first.map(|user| user.login.clone()).unwrap_or_default(),
            password: first.filter(|user| user.password_file.is_none()).map(|user| user.login.clone()),
            users,
            ca: certificates.map(|path| format!(" --ca {}", quoted(&path.display().to_string()))).unwrap_or_default(),
        }
    }

    fn to_text(&self, driven: bool) -> String {
        let Self { base_url, user_id, access_token_id, token, ca, .. } = self;
        let me = program();
        let mut text = format!(
            "A VMS on the desk ({}), until Ctrl-C.\n\n  \
             base URL         {base_url}\n  socket URL       {}\n  app key          {}\n  \
             user id          {user_id}\n  access token id  {access_token_id}\n  token            {token}\n",
            self.profile, self.socket_url, self.app_key,
        );
        for user in &self.users {
            text.push_str(&format!("  login            {}, password {}\n", user.login, user.password()));
        }
        text.push_str(&format!(
            "\nTo listen, with the token or with a login:\n\n  \
             VMS_TOKEN={token} {me} listen --base-url {base_url}{ca} --user-id {user_id} --access-token-id {access_token_id}\n",
        ));
        for user in &self.users {
            let (password, login) = (user.in_shell(), quoted(&user.login));
            text.push_str(&format!(
                "  VMS_PASSWORD={password} {me} listen --base-url {base_url}{ca} --login {login}\n"
            ));
        }
        if driven {
            text.push_str(&format!(
                "\nTo make something happen:\n\n  {me} push mark_created --sandbox {base_url}{ca}\n  \
                 {me} cut --sandbox {base_url}{ca}\n",
            ));
        }
        escape::lines(&text).into_owned()
    }
}

/// The program as it was called, for command lines to copy.
fn program() -> String {
    let called = std::env::args().next().unwrap_or_default();
    if called.is_empty() { "vms-pusher".to_owned() } else { quoted(&called) }
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "/._-+:@%".contains(character);
    if word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

const PATIENCE: Duration = Duration::from_secs(1);
const A_LONG_TIME: Duration = Duration::from_secs(3600);

//! Server libraries that we did not write: npm's `pusher` and Python's `pusher`.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use channels_client::proto::{Authorization, AuthorizationError, UserAuthentication};
use channels_client::{AuthenticationRequest, AuthorizationRequest, Authorizer};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;

use crate::publisher::App;

/// How long a call may take, the start of the program included.
const CALL_LIMIT: Duration = Duration::from_secs(60);

/// The key that the keys of encrypted channels are derived from.
pub const MASTER_KEY: [u8; 32] = *b"the master key of the tests is 3";
/// The same in base64.
const MASTER_KEY_BASE64: &str = "dGhlIG1hc3RlciBrZXkgb2YgdGhlIHRlc3RzIGlzIDM=";

/// A running program that calls a server library; dropping it kills the process.
#[derive(Debug)]
pub struct ServerLibrary {
    name: &'static str,
    program: Mutex<Program>,
}

#[derive(Debug)]
struct Program {
    _process: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

/// An error as the library reports it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CallError {
    /// The name of the exception.
    pub name: String,
    /// The HTTP status, as far as the library tells it.
    pub status: Option<u16>,
    /// What it says.
    pub text: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Ok(Value),
    Error(CallError),
}

impl ServerLibrary {
    /// Starts npm's library and Python's, both of which publish to the server at this HTTP URL.
    #[must_use]
    pub fn both(base_url: &str, app: &App) -> [Self; 2] {
        [Self::node(base_url, app), Self::python(base_url, app)]
    }

    /// Starts npm's library.
    #[must_use]
    pub fn node(base_url: &str, app: &App) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pusher-node");
        assert!(folder.join("node_modules/pusher").exists(), "npm's library is missing: run `cargo xtask setup`");
        let mut command = Command::new("node");
        command.arg("serve.mjs").current_dir(folder);
        Self::start("npm's pusher", command, base_url, app)
    }

    /// Starts Python's library.
    #[must_use]
    pub fn python(base_url: &str, app: &App) -> Self {
        let packages = python_packages();
        assert!(packages.join("pusher").exists(), "Python's library is missing: run `cargo xtask setup`");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("pusher-python/serve.py");
        let mut command = Command::new(python());
        command.arg(script).env("PYTHONPATH", packages);
        Self::start("Python's pusher", command, base_url, app)
    }

    fn start(name: &'static str, mut command: Command, base_url: &str, app: &App) -> Self {
        let address = base_url.strip_prefix("http://").expect("an address without TLS");
        let (host, port) = address.rsplit_once(':').expect("a port");
        let options = json!({
            "app_id": app.id,
            "key": app.key,
            "secret": app.secret,
            "host": host,
            "port": port.parse::<u16>().expect("a port"),
            "master_key": MASTER_KEY_BASE64,
        });
        command.arg(options.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let stdin = process.stdin.take().expect("stdin is piped");
        let lines = BufReader::new(process.stdout.take().expect("stdout is piped")).lines();
        Self { name, program: Mutex::new(Program { _process: process, stdin, lines }) }
    }

    /// Whose library it is.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Makes a call of the scripts' `calls`.
    ///
    /// # Errors
    /// What the library throws.
    ///
    /// # Panics
    /// When there is no answer in time.
    pub async fn call(&self, call: &str, arguments: Value) -> Result<Value, CallError> {
        let mut request = arguments;
        request["call"] = call.into();
        let answer = tokio::time::timeout(CALL_LIMIT, self.ask(&request)).await;
        match answer.unwrap_or_else(|_| panic!("{}: no answer to {request}", self.name)) {
            Answer::Ok(value) => Ok(value),
            Answer::Error(error) => Err(error),
        }
    }

    async fn ask(&self, request: &Value) -> Answer {
        let mut program = self.program.lock().await;
        program.stdin.write_all(format!("{request}\n").as_bytes()).await.expect("the program reads");
        let line = program.lines.next_line().await.expect("readable output").expect("the program still runs");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{}: {error} in {line}", self.name))
    }
}

/// Authorizes and authenticates as the backend of an application does: with its server library.
#[derive(Debug, Clone)]
pub struct LibraryAuthorizer {
    /// The library.
    pub library: Arc<ServerLibrary>,
    /// Who the client is.
    pub user: String,
}

impl Authorizer for LibraryAuthorizer {
    async fn authorize(&self, request: AuthorizationRequest) -> Result<Authorization, AuthorizationError> {
        let channel = request.channel.as_str();
        let mut arguments = json!({"socket_id": request.socket_id.as_str(), "channel": channel});
        if channel.starts_with("presence-") {
            arguments["member"] = json!({"user_id": self.user, "user_info": {"name": self.user}});
        }
        let answer = self.library.call("authorize", arguments).await.expect("the library signs");
        let text = |member: &str| answer[member].as_str().map(str::to_owned);
        let mut authorization = Authorization::new(text("auth").expect("a signature"));
        authorization.channel_data = text("channel_data");
        authorization.shared_secret = text("shared_secret").map(Into::into);
        Ok(authorization)
    }

    async fn authenticate(&self, request: AuthenticationRequest) -> Result<UserAuthentication, AuthorizationError> {
        let user = json!({"id": self.user, "user_info": {"name": self.user}});
        let arguments = json!({"socket_id": request.socket_id.as_str(), "user": user});
        let answer = self.library.call("authenticate", arguments).await.expect("the library signs");
        let text = |member: &str| answer[member].as_str().expect("a text").to_owned();
        Ok(UserAuthentication::new(text("auth"), text("user_data")))
    }
}

fn python_packages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/pusher-python")
}

/// The names under which Python may be installed, in the order in which `cargo xtask setup` tries them.
fn python() -> &'static str {
    let has_pip = |python: &&str| {
        let mut command = std::process::Command::new(python);
        command.args(["-m", "pip", "--version"]).output().is_ok_and(|output| output.status.success())
    };
    ["python3", "python"].into_iter().find(has_pip).expect("Python is installed")
}

//! What a client needs, as `sandbox` prints it.

use serde::Serialize;
use vms_sandbox::{Sandbox, Session};

use crate::{args::UserArg, output::escape, settings::Trust};

/// What a client needs.
#[derive(Serialize)]
pub(super) struct Needed {
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
    /// The certificates that a client has to trust.
    ca_file: Option<String>,
    /// They are the sandbox's own.
    #[serde(skip)]
    is_own_ca: bool,
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
    pub(super) fn new(sandbox: &Sandbox, session: &Session, users: &[UserArg], trust: Option<&Trust>) -> Self {
        let users: Vec<Login> = users.iter().map(Login::new).collect();
        let first = users.iter().find(|user| user.id == session.user_id);
        let ca_file = trust.map(|trust| trust.path().display().to_string());
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
            ca_file: ca_file.clone(),
            is_own_ca: matches!(trust, Some(Trust::Own(_))),
            ca: ca_file.map(|path| format!(" --ca {}", quoted(&path))).unwrap_or_default(),
        }
    }

    pub(super) fn to_text(&self, driven: bool) -> String {
        let Self { base_url, user_id, access_token_id, token, ca, .. } = self;
        let me = program();
        let mut text = format!(
            "A local VMS simulator ({}); stop it with Ctrl-C.\n\n  \
             base URL         {base_url}\n  socket URL       {}\n  app key          {}\n  \
             user id          {user_id}\n  access token id  {access_token_id}\n  token            {token}\n",
            self.profile, self.socket_url, self.app_key,
        );
        for user in &self.users {
            text.push_str(&format!("  login            {}, password {}\n", user.login, user.password()));
        }
        if let Some(file) = self.ca_file.as_ref().filter(|_| self.is_own_ca) {
            text.push_str(&format!(
                "\nIts certificate is generated. To trust it: --ca {file}, or with curl\n--cacert {file}. \
                 The file is deleted when the sandbox stops.\n",
                file = quoted(file),
            ));
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
                 {me} cut --sandbox {base_url}{ca}\n\n\
                 The commands logout, expire, fault and state work the same way.\n",
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

//! Who listens, and where: said on the command line, or in a file for each account.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use channels_client::{SocketUrl, http::HttpUrl, proto::AppKey};
use vms_pusher::VmsCredentials;

use super::{credentials::Credentials, files, password, token};
use crate::{failure::Failure, output::escape, stop::Stop};

/// What is said of an account. A key of a file means what the option of that name means.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) base_url: Option<String>,
    pub(super) login: Option<String>,
    /// In a file only: a prompt is for one.
    pub(super) password_file: Option<PathBuf>,
    pub(super) token_file: Option<PathBuf>,
    pub(super) user_id: Option<i64>,
    pub(super) access_token_id: Option<String>,
    pub(super) socket_url: Option<String>,
    pub(super) app_key: Option<String>,
    /// What its lines are marked with.
    pub(super) name: Option<String>,
}

impl Given {
    /// Reads the file of an account, whose name is that of the file unless it says another.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = files::read_bytes("--account", path)?;
        let named = |failure: Failure| failure.of(&path.display().to_string());
        let text = std::str::from_utf8(&bytes).map_err(|_| named(Failure::usage("it is not UTF-8")))?;
        let mut given = Self::parse(text, path.parent().unwrap_or_else(|| Path::new(""))).map_err(named)?;
        if given.name.is_none() {
            given.name = path.file_stem().map(|stem| escape::line(&stem.to_string_lossy()).into_owned());
        }
        Ok(given)
    }

    /// Files that it names are looked for in `folder`.
    fn parse(text: &str, folder: &Path) -> Result<Self, Failure> {
        let mut values = BTreeMap::new();
        for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines().map(str::trim)) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, value) = key_and_value(line).map_err(|failure| failure.of(&format!("line {number}")))?;
            if values.insert(key, value.to_owned()).is_some() {
                return Err(Failure::usage(format!("line {number}: duplicate key `{key}`")));
            }
        }
        let user_id = values.remove("user-id").map(|id| id.parse());
        let user_id = user_id.transpose().map_err(|_| Failure::usage("`user-id` is not a number"))?;
        let given = Self {
            base_url: values.remove("base-url"),
            login: values.remove("login"),
            password_file: values.remove("password-file").map(|file| folder.join(file)),
            token_file: values.remove("token-file").map(|file| folder.join(file)),
            user_id,
            access_token_id: values.remove("access-token-id"),
            socket_url: values.remove("socket-url"),
            app_key: values.remove("app-key"),
            name: values.remove("name").map(|name| escape::line(&name).into_owned()),
        };
        let has_token = given.token_file.is_some() || given.user_id.is_some() || given.access_token_id.is_some();
        match (&given.login, &given.password_file) {
            (Some(_), _) if has_token => {
                Err(Failure::usage("`login` cannot be combined with `token-file`, `user-id` or `access-token-id`"))
            }
            (None, Some(_)) => Err(Failure::usage("`password-file` without `login`")),
            _ => Ok(given),
        }
    }

    /// Checks the addresses.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if let Some(url) = &self.base_url {
            HttpUrl::parse(url).map_err(|error| {
                Failure::usage(format!("--base-url: {error}"))
                    .tip("write it like https://example.com: http:// or https://, without user, query or fragment")
            })?;
        }
        if let Some(url) = &self.socket_url {
            SocketUrl::parse(url).map_err(|error| {
                Failure::usage(format!("--socket-url: {error}"))
                    .tip("write it like wss://example.com/pusher, or leave it out: then the VMS is asked for it")
            })?;
        }
        if let Some(key) = &self.app_key {
            AppKey::parse(key).map_err(|error| {
                Failure::usage(format!("--app-key: {error}")).tip("leave it out: then the VMS is asked for it")
            })?;
        }
        Ok(())
    }

    /// Files, pipes and a person at a prompt may keep this waiting; `stop` ends that.
    pub(super) fn credentials(&mut self, stop: &Stop) -> Result<Credentials, Failure> {
        let Some(login) = self.login.take() else {
            let (file, user_id, id) = (self.token_file.take(), self.user_id, self.access_token_id.take());
            return stop.waiting(|| token::credentials(file, user_id, id));
        };
        let password = match &self.password_file {
            Some(file) => stop.waiting(|| password::of_file(&login, file))?,
            None => password::get(&login, stop)?,
        };
        Ok(Credentials::Login(VmsCredentials::new(login, password)))
    }
}

/// What is no key is not shown: it may be a secret.
fn key_and_value(line: &str) -> Result<(&'static str, &str), Failure> {
    let keys = || format!("the keys are {}", KEYS.join(", "));
    let Some((key, value)) = line.split_once('=') else {
        return Err(Failure::usage("it is not of the form `key = value`").tip(keys()));
    };
    let (key, value) = (key.trim(), value.trim());
    let Some(known) = KEYS.into_iter().find(|known| *known == key) else {
        return Err(match key {
            "password" | "token" => Failure::usage(format!("a {key} does not belong in this file"))
                .tip(format!("put it in a separate file, and name that file with {key}-file")),
            _ => Failure::usage("there is no such key").tip(keys()),
        });
    };
    if value.is_empty() { Err(Failure::usage(format!("`{known}` has no value"))) } else { Ok((known, value)) }
}

const KEYS: [&str; 9] =
    ["access-token-id", "app-key", "base-url", "login", "name", "password-file", "socket-url", "token-file", "user-id"];

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Given, Failure> {
        Given::parse(text, Path::new("folder"))
    }

    #[test]
    fn a_file_of_an_account_is_read() {
        let text = "\u{feff}# the reception\n\n base-url = https://vms.example/x=y \r\ntoken-file=anna.token\nuser-id = 42\n\
                    access-token-id = 6f1c\nname = anna\n";
        let given = parse(text).unwrap();
        assert_eq!(given.base_url.as_deref(), Some("https://vms.example/x=y"));
        assert_eq!(given.token_file.as_deref(), Some(Path::new("folder/anna.token")));
        assert_eq!((given.user_id, given.access_token_id.as_deref()), (Some(42), Some("6f1c")));
        assert_eq!(given.name.as_deref(), Some("anna"));
        let given = parse("login = demo\npassword-file = /run/secrets/demo").unwrap();
        assert_eq!(given.password_file.as_deref(), Some(Path::new("/run/secrets/demo")));
    }

    // Q05
    #[test]
    fn what_does_not_belong_into_it_is_refused_with_its_line_and_not_shown() {
        for (text, told) in [
            ("login = a\n\ncanary", "line 3: it is not of the form `key = value`"),
            ("canary = 1", "line 1: there is no such key"),
            ("token = canary", "line 1: a token does not belong in this file"),
            ("password = canary", "line 1: a password does not belong in this file"),
            ("login =", "line 1: `login` has no value"),
            ("login = a\nlogin = canary", "line 2: duplicate key `login`"),
            ("user-id = canary", "`user-id` is not a number"),
            ("login = a\nuser-id = 4", "`login` cannot be combined"),
            ("password-file = a", "`password-file` without `login`"),
        ] {
            let refused = parse(text).unwrap_err().to_string();
            assert!(refused.starts_with(told) && !refused.contains("canary"), "{text:?}: {refused}");
        }
    }
}

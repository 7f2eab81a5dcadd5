use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use vms_sandbox::{SandboxConfig, Tls, UserConfig};

use super::{certificate, files};
use crate::{
    args::{SandboxArgs, UserArg},
    failure::Failure,
};

/// What `sandbox` was asked to do.
#[derive(Debug)]
pub(crate) struct SandboxSettings {
    pub(crate) config: SandboxConfig,
    /// Who may log in, as they were given.
    pub(crate) users: Vec<UserArg>,
    pub(crate) day: Day,
    pub(crate) json: bool,
    pub(crate) quiet: bool,
    /// What a client has to trust.
    pub(crate) trust: Option<Trust>,
}

/// The certificates that a client has to trust.
#[derive(Debug)]
pub(crate) enum Trust {
    /// Those that were given.
    Given(PathBuf),
    /// Those of the sandbox's own authority; the file goes with this.
    Own(NamedTempFile),
}

impl Trust {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Given(path) => path,
            Self::Own(file) => file.path(),
        }
    }
}

/// Whether events are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Day {
    /// None but those that are pushed.
    None,
    /// One day.
    One,
    /// Day after day.
    Everyday,
}

impl SandboxSettings {
    pub(crate) fn new(args: SandboxArgs) -> Result<Self, Failure> {
        let (tls, trust) = match (args.tls_cert, &args.tls_key) {
            (Some(path), Some(key)) => {
                let certificates = files::read_bytes("--tls-cert", &path)?;
                let tls = Tls::Pem { certificates, key: files::read_bytes("--tls-key", key)? };
                (Some(tls), Some(Trust::Given(path)))
            }
            _ if args.tls => {
                let own = certificate::make(args.host.as_deref(), args.bind.ip())?;
                (Some(own.tls), Some(Trust::Own(own.authority)))
            }
            _ => (None, None),
        };
        let config = SandboxConfig {
            bind: args.bind,
            host: args.host,
            tls,
            users: args.users.iter().map(user).collect::<Result<_, _>>()?,
            control: args.bind.ip().is_loopback() || args.allow_remote_control,
            ..SandboxConfig::with_profile(args.profile)
        };
        let day = match (args.scenario, args.repeat) {
            (false, _) => Day::None,
            (true, false) => Day::One,
            (true, true) => Day::Everyday,
        };
        Ok(Self { config, users: args.users, day, json: args.json, quiet: args.quiet, trust })
    }
}

fn user(user: &UserArg) -> Result<UserConfig, Failure> {
    let UserArg { id, name, password_file } = user;
    let Some(path) = password_file else { return Ok(UserConfig::new(*id, name, name)) };
    let text = String::from_utf8(files::read_secret("--user", path)?)
        .map_err(|_| Failure::usage(format!("the password of the user {id} is not UTF-8")))?;
    match text.lines().next() {
        Some(password) if !password.is_empty() => Ok(UserConfig::new(*id, name, password)),
        _ => Err(Failure::usage(format!("the password of the user {id} is empty"))
            .tip("it is the first line of the file in --user ID:NAME:PASSWORD_FILE")),
    }
}

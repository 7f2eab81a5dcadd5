use vms_sandbox::{SandboxConfig, Tls, UserConfig};

use super::files;
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
    /// The certificates that a client has to trust, as they were given.
    pub(crate) certificates: Option<std::path::PathBuf>,
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
        let tls = match (&args.tls_cert, &args.tls_key) {
            (Some(certificates), Some(key)) => Some(Tls::Pem {
                certificates: files::read_bytes("--tls-cert", certificates)?,
                key: files::read_bytes("--tls-key", key)?,
            }),
            _ => None,
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
        Ok(Self { config, users: args.users, day, json: args.json, quiet: args.quiet, certificates: args.tls_cert })
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

use std::{collections::BTreeSet, time::Duration};

use vms_pusher::{Tls, VmsSocketItem};

use super::{account::Given, credentials::Credentials, files};
use crate::{args::ListenArgs, event_name, failure::Failure, stop::Stop};

/// What `listen` was asked to do.
pub(crate) struct ListenSettings {
    /// At least one.
    pub(crate) accounts: Vec<Account>,
    pub(crate) json: bool,
    pub(crate) filter: Filter,
    /// How long it listens.
    pub(crate) limit: Option<Duration>,
    /// How many events it prints.
    pub(crate) count: Option<u64>,
    /// How long each account may take until its first channel is subscribed.
    pub(crate) connect_timeout: Option<Duration>,
}

impl ListenSettings {
    /// Returns how long the longest name of an account is.
    pub(crate) fn name_width(&self) -> usize {
        let names = self.accounts.iter().filter_map(|account| account.name.as_deref());
        names.map(|name| name.chars().count()).max().unwrap_or_default()
    }
}

/// One that listens.
pub(crate) struct Account {
    /// What its lines are marked with, when it comes from a file.
    pub(crate) name: Option<String>,
    pub(crate) base_url: String,
    pub(crate) credentials: Credentials,
    /// Asked for when absent.
    pub(crate) socket_url: Option<String>,
    /// Asked for when absent.
    pub(crate) app_key: Option<String>,
    pub(crate) tls: Tls,
    pub(crate) allow_insecure_socket: bool,
    /// Print what events were made from.
    pub(crate) raw: bool,
}

impl ListenSettings {
    /// Files, pipes and a person at a prompt may keep this waiting; `stop` ends that.
    pub(crate) fn new(mut args: ListenArgs, stop: &Stop) -> Result<Self, Failure> {
        let given = if args.account.is_empty() { vec![of_arguments(&mut args)] } else { of_files(&args, stop)? };
        let of_account = |given: &Given, failure: Failure| match &given.name {
            Some(name) => failure.of(name),
            None => failure,
        };
        for given in &given {
            given.check().map_err(|failure| of_account(given, failure))?;
        }
        let tls = stop.waiting(|| files::tls(&args.ca))?;
        let mut accounts = Vec::new();
        for mut given in given {
            let credentials = given.credentials(stop).map_err(|failure| of_account(&given, failure))?;
            accounts.push(Account {
                name: given.name,
                base_url: given.base_url.unwrap_or_default(),
                credentials,
                socket_url: given.socket_url,
                app_key: given.app_key,
                tls: tls.clone(),
                allow_insecure_socket: args.allow_insecure_socket,
                raw: args.raw,
            });
        }
        Ok(Self {
            accounts,
            json: args.json,
            filter: Filter::new(&args.only, &args.not),
            limit: args.limit,
            count: args.count,
            connect_timeout: args.connect_timeout,
        })
    }
}

fn of_arguments(args: &mut ListenArgs) -> Given {
    Given {
        base_url: args.base_url.take(),
        login: args.login.take(),
        password_file: None,
        token_file: args.token_file.take(),
        user_id: args.user_id,
        access_token_id: args.access_token_id.take(),
        socket_url: args.socket_url.take(),
        app_key: args.app_key.take(),
        name: None,
    }
}

/// One for each file; --base-url is for those that name none.
fn of_files(args: &ListenArgs, stop: &Stop) -> Result<Vec<Given>, Failure> {
    let mut names = BTreeSet::new();
    let mut all = Vec::new();
    for path in &args.account {
        let given = stop.waiting(|| Given::read(path))?;
        let base_url = given.base_url.or_else(|| args.base_url.clone());
        if base_url.is_none() {
            return Err(Failure::usage(format!(
                "{}: it has no `base-url`, and there is no --base-url",
                path.display()
            ))
            .tip("add `base-url = https://example.com` to it, or use --base-url"));
        }
        if !names.insert(given.name.clone()) {
            let name = given.name.unwrap_or_default();
            return Err(Failure::usage(format!("{}: another account has the name `{name}`", path.display()))
                .tip("add `name = ANOTHER` to one of them"));
        }
        all.push(Given { base_url, ..given });
    }
    Ok(all)
}

/// Which events are printed.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// When there are any, these alone.
    only: Vec<&'static str>,
    not: Vec<&'static str>,
}

impl Filter {
    fn new(only: &[String], not: &[String]) -> Self {
        let events = |names: &[String]| names.iter().flat_map(|name| event_name::meant_by(name)).collect();
        Self { only: events(only), not: events(not) }
    }

    /// Whether the item is to be printed. States, errors and gaps always are.
    pub(crate) fn lets_through(&self, item: &VmsSocketItem) -> bool {
        let Some(name) = event_name::of_item(item) else { return true };
        (self.only.is_empty() || self.only.contains(&name)) && !self.not.contains(&name)
    }
}

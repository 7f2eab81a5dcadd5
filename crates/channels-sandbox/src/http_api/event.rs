//! Events as libraries send them.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{failure::Failure, habits::Habits};
use crate::{
    app::is_socket_id,
    dialect::checks::is_channel_name,
    push::{RawData, RawPush},
};

/// An event that may be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    name: String,
    pub(super) channels: Vec<String>,
    data: RawData,
    socket_id: Option<String>,
    /// What to tell of its channels.
    pub(super) info: Info,
}

/// What is asked about a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Info {
    pub(super) user_count: bool,
    pub(super) subscription_count: bool,
}

#[derive(Debug, Deserialize)]
struct EventBody {
    name: Option<String>,
    channel: Option<String>,
    channels: Option<Vec<String>>,
    data: Option<Box<RawValue>>,
    socket_id: Option<String>,
    info: Option<String>,
}

#[derive(Debug, Deserialize)]
struct BatchBody {
    batch: Vec<EventBody>,
}

impl Event {
    /// The event of a request.
    pub(super) fn parse(body: &[u8], habits: &Habits) -> Result<Self, Failure> {
        Self::check(read(body)?, habits)
    }

    /// The events of a request.
    pub(super) fn parse_batch(body: &[u8], habits: &Habits) -> Result<Vec<Self>, Failure> {
        let BatchBody { batch } = read(body)?;
        if let Some(limit) = habits.limits.batch
            && batch.len() > limit
        {
            return Err(Failure::invalid("batch", format!("a batch has {limit} events at most, not {}", batch.len())));
        }
        batch.into_iter().map(|event| Self::check(event, habits)).collect()
    }

    /// The event on each of its channels.
    pub(super) fn pushes(&self) -> impl Iterator<Item = RawPush> {
        self.channels.iter().map(|channel| RawPush {
            channel: channel.clone(),
            event: self.name.clone(),
            data: self.data.clone(),
            except: self.socket_id.clone(),
        })
    }

    fn check(body: EventBody, habits: &Habits) -> Result<Self, Failure> {
        let name = body.name.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Failure::invalid("name", "the name of the event is missing"))?;
        if let Some(limit) = habits.limits.event_name
            && name.chars().count() > limit
        {
            return Err(Failure::invalid("name", format!("the name of an event has {limit} characters at most")));
        }
        let channels: Vec<_> = body.channels.unwrap_or_default().into_iter().chain(body.channel).collect();
        check_channels(&channels, habits)?;
        let socket_id = body.socket_id.filter(|id| !id.is_empty());
        if habits.checks_targets && socket_id.as_deref().is_some_and(|id| !is_socket_id(id)) {
            return Err(Failure::invalid("socket_id", "the socket_id is not two numbers with a dot between them"));
        }
        let data = check_data(body.data.as_deref(), habits)?;
        Ok(Self { name, channels, data, socket_id, info: Info::parse(body.info.as_deref()) })
    }
}

impl Info {
    /// Attributes that are not known are ignored.
    pub(super) fn parse(list: Option<&str>) -> Self {
        let names: Vec<_> = list.unwrap_or_default().split(',').map(str::trim).collect();
        Self { user_count: names.contains(&"user_count"), subscription_count: names.contains(&"subscription_count") }
    }

    pub(super) const fn is_empty(self) -> bool {
        !self.user_count && !self.subscription_count
    }
}

fn check_channels(channels: &[String], habits: &Habits) -> Result<(), Failure> {
    if channels.is_empty() {
        return Err(Failure::invalid("channels", "the event has neither `channels` nor a `channel`"));
    }
    if let Some(limit) = habits.limits.channels
        && channels.len() > limit
    {
        let text = format!("an event is for {limit} channels at most, not {}", channels.len());
        return Err(Failure::invalid("channels", text));
    }
    if !habits.checks_targets {
        return Ok(());
    }
    if let Some(wrong) = channels.iter().find(|channel| !is_target(channel)) {
        return Err(Failure::invalid("channels", format!("invalid channel name {wrong:?}")));
    }
    let is_encrypted = |channel: &String| channel.starts_with("private-encrypted-");
    if channels.len() > 1 && channels.iter().any(is_encrypted) {
        let text = "an event for an encrypted channel is for no other channel: each has a key of its own";
        return Err(Failure::invalid("channels", text));
    }
    Ok(())
}

/// The channel of a user, too, is something to publish on.
fn is_target(channel: &str) -> bool {
    is_channel_name(channel.strip_prefix("#server-to-user-").unwrap_or(channel), 164)
}

fn check_data(data: Option<&RawValue>, habits: &Habits) -> Result<RawData, Failure> {
    let data = match data.map(RawValue::get) {
        None => RawData::Absent,
        Some(text) => serde_json::from_str(text).map_or_else(|_| RawData::Bare(text.to_owned()), RawData::Text),
    };
    let bytes = match &data {
        RawData::Text(text) => text.len(),
        RawData::Absent | RawData::Bare(_) if habits.needs_text => {
            return Err(Failure::invalid("data", "the data of the event must be a string, such as JSON in a string"));
        }
        RawData::Absent => 0,
        RawData::Bare(json) => json.len(),
    };
    match habits.limits.data {
        Some(limit) if bytes > limit => {
            Err(Failure::too_large("data", format!("the data of the event is larger than {limit} bytes: {bytes}")))
        }
        _ => Ok(data),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body)
        .map_err(|error| Failure::invalid("body", format!("the body is not as it must be: {error}")))
}

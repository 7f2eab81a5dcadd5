//! Events that come before an acknowledgement.

use channels_sandbox::{Hooks, RawData, RawPush};

use crate::push::PushEvent;

/// Sends a `permissions_updated` on every VMS channel just before its subscription is acknowledged.
#[derive(Debug)]
pub(crate) struct EarlyEvents;

impl Hooks for EarlyEvents {
    fn before_acknowledgement(&self, channel: &str) -> Option<RawPush> {
        let event = match channel {
            channel if channel.starts_with("private-token.") => PushEvent::Token,
            channel if channel.starts_with("private-user.") => PushEvent::User,
            _ => return None,
        };
        let data = r#"{"data":{"type":"permissions_updated","status":"ok","data":null},"subject":null,"message":null}"#;
        Some(RawPush {
            channel: channel.to_owned(),
            event: event.as_str().to_owned(),
            data: RawData::Text(data.to_owned()),
            except: None,
        })
    }
}

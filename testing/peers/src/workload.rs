//! What the server sends: three messages as a VMS sends them, double-encoded, 475 bytes a frame on average.

use std::fmt;

use serde_json::json;

use crate::websocket::{Opcode, server_frame};

/// Which of the messages are sent, in rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Payload {
    /// A camera became a favourite.
    Small,
    /// A mark with a whole camera in it.
    Medium,
    /// A call with an intercom in it; as in Laravel's notifications its `type` comes last.
    Intercom,
    /// All three.
    Mixed,
}

impl Payload {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Small, Self::Medium, Self::Intercom, Self::Mixed];

    /// Returns the texts of its frames on `channel`.
    #[must_use]
    pub fn texts(self, channel: &str) -> Vec<String> {
        let messages: &[(&str, &str)] = match self {
            Self::Small => &[SMALL],
            Self::Medium => &[MEDIUM],
            Self::Intercom => &[INTERCOM],
            Self::Mixed => &[SMALL, MEDIUM, INTERCOM],
        };
        messages.iter().map(|(event, data)| text(event, channel, data)).collect()
    }

    /// Returns its frames on `channel`.
    #[must_use]
    pub fn frames(self, channel: &str) -> Vec<Vec<u8>> {
        self.texts(channel).iter().map(|text| server_frame(Opcode::Text, text.as_bytes())).collect()
    }
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Intercom => "intercom",
            Self::Mixed => "mixed",
        })
    }
}

/// Returns the text of the frame that says that no event follows.
#[must_use]
pub fn end_text(channel: &str) -> String {
    text(END_EVENT, channel, "{}")
}

fn text(event: &str, channel: &str, data: &str) -> String {
    // Written by hand to fix the order of the members, which is that of Pusher servers.
    format!("{{\"event\":{},\"channel\":{},\"data\":{}}}", json!(event), json!(channel), json!(data))
}

/// Returns the name of a presence channel.
#[must_use]
pub fn presence_channel(number: usize) -> String {
    format!("presence-room.{number}")
}

/// How many members a presence channel has, with the one who subscribes.
pub const MEMBERS: usize = 100;
/// The user's channel, which carries the events.
pub const USER_CHANNEL: &str = "private-user.42";
/// The session's channel.
pub const TOKEN_CHANNEL: &str = "private-token.bench";
/// The name of the event after the last.
pub const END_EVENT: &str = "bench-end";

const SMALL: (&str, &str) = (
    "App\\Events\\UserPush",
    r#"{"data":{"type":"camera.store_favorite","status":"ok","data":{"camera_id":17,"order":3}},"subject":null,"message":null}"#,
);

const MEDIUM: (&str, &str) = (
    "App\\Events\\UserPush",
    concat!(
        r#"{"data":{"type":"mark_created","status":"ok","data":{"id":5001,"type":"mark","#,
        r#""from":"2024-03-05T10:11:12.000000Z","to":"2024-03-05T10:12:12.000000Z","can_delete":true,"#,
        r#""camera":{"id":17,"name":"Front door","status":"active","start_at":"2023-11-01T00:00:00.000000Z","#,
        r#""is_favorite":true,"is_restricted_live":false,"is_restricted_archive":false,"is_bridge":false,"#,
        r#""user_status":"active","#,
        r#""streams":[{"id":101,"type":"high","status":"active","has_sound":true,"video_codec":"H265"}],"#,
        r#""services":{"ptz":false,"motion_detect":true},"archive_ranges":[{"from":1709596800,"duration":3600}]}}},"#,
        r#""subject":null,"message":null}"#
    ),
);

const INTERCOM: (&str, &str) = (
    "Illuminate\\Notifications\\Events\\BroadcastNotificationCreated",
    concat!(
        r#"{"intercom_call":{"id":1200,"status":"ring","type":"call","started_at":"2024-03-05T10:11:12.000000Z","#,
        r#""intercom":{"id":77,"title":"Gate","address":"1 Example Street","is_enabled":true,"#,
        r#""status":"key_confirmed","is_online":true}},"#,
        r#""id":"9d4a6a52-64a1-4f3c-9a6d-000000000010","type":"intercom.call.store"}"#
    ),
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mixed_frames_have_475_bytes_on_average() {
        let total: usize = Payload::Mixed.frames(USER_CHANNEL).iter().map(Vec::len).sum();

        assert!((1_420..=1_450).contains(&total), "{total}");
    }

    #[test]
    fn data_is_encoded_twice() {
        for text in Payload::Mixed.texts(USER_CHANNEL) {
            let frame: serde_json::Value = serde_json::from_str(&text).unwrap();
            let data: serde_json::Value = serde_json::from_str(frame["data"].as_str().unwrap()).unwrap();

            assert!(data.is_object());
            assert_eq!(frame["channel"], USER_CHANNEL);
        }
    }
}

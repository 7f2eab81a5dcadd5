//! The obvious Rust: `tungstenite`, and `serde_json` into owned structures, first the envelope, then the text in it.

use std::hint::black_box;

use anyhow::Result;
use serde::Deserialize;
use tungstenite::Message;

use super::plain::is_internal;
use super::{Mode, Seen, Target};
use crate::workload::{END_EVENT, TOKEN_CHANNEL, USER_CHANNEL};

pub(super) fn events(mode: Mode, target: &Target) -> Result<Seen> {
    let url = format!("{}/app/bench-key?client=bench&version=1.0.0&protocol=7", target.socket_url(0));
    let stream = std::net::TcpStream::connect(("127.0.0.1", target.port(0)))?;
    stream.set_nodelay(true)?;
    let (mut socket, _) = tungstenite::client(url, stream)?;
    for channel in [TOKEN_CHANNEL, USER_CHANNEL] {
        let auth = format!("bench-key:{}", "5".repeat(64));
        let subscribe =
            serde_json::json!({ "event": "pusher:subscribe", "data": { "channel": channel, "auth": auth } });
        socket.send(Message::text(subscribe.to_string()))?;
    }
    let mut seen = Seen::new(mode);
    loop {
        let message = socket.read()?;
        let Message::Text(text) = message else { continue };
        let envelope: Envelope = serde_json::from_str(&text)?;
        match envelope.event.as_str() {
            "App\\Events\\UserPush" | "App\\Events\\TokenPush" => {
                black_box(serde_json::from_str::<Push>(&envelope.data)?);
                seen.event();
            }
            "Illuminate\\Notifications\\Events\\BroadcastNotificationCreated" => {
                black_box(serde_json::from_str::<Notification>(&envelope.data)?);
                seen.event();
            }
            END_EVENT => return Ok(seen),
            other if is_internal(other) => {}
            other => anyhow::bail!("an event that was not sent: {other}"),
        }
    }
}

#[derive(Deserialize)]
struct Envelope {
    event: String,
    #[expect(dead_code, reason = "it is part of what a consumer gets")]
    channel: Option<String>,
    #[serde(default)]
    data: String,
}

macro_rules! structures {
    ($($(#[$meta:meta])* $name:ident { $($field:ident : $kind:ty $(= $wire:literal)?,)* })*) => {
        $(
            $(#[$meta])*
            #[derive(Deserialize)]
            #[expect(dead_code, reason = "a consumer would read the fields")]
            struct $name {
                $($(#[serde(rename = $wire)])? $field: $kind,)*
            }
        )*
    };
}

structures! {
    Push { data: Body, subject: Option<String>, message: Option<String>, }
    Favorite { camera_id: i64, order: Option<i64>, name: Option<String>, is_favorite: Option<bool>, }
    Mark {
        id: i64, title: Option<String>, kind: Option<String> = "type", from: Option<String>, to: Option<String>,
        created_at: Option<String>, can_delete: Option<bool>, camera: Option<Camera>, camera_id: Option<i64>,
        name: Option<String>, preview_url: Option<String>, uuid: Option<String>,
    }
    Camera {
        id: i64, name: Option<String>, status: Option<String>, start_at: Option<String>, is_favorite: Option<bool>,
        is_restricted_live: Option<bool>, is_restricted_archive: Option<bool>, is_bridge: Option<bool>,
        user_status: Option<String>, pretty_text: Option<String>, streams: Option<Vec<Stream>>,
        services: Option<Services>, archive_ranges: Option<Vec<Range>>,
    }
    Stream {
        id: i64, kind: Option<String> = "type", status: Option<String>, has_sound: Option<bool>,
        video_codec: Option<String>,
    }
    Services { ptz: Option<bool>, motion_detect: Option<bool>, }
    Range { from: Option<i64>, duration: Option<i64>, end: Option<i64>, }
    Call {
        id: i64, status: Option<String>, kind: Option<String> = "type", mark_type: Option<String>,
        started_at: Option<String>, created_at: Option<String>, ended_at: Option<String>, intercom: Option<Intercom>,
    }
    Intercom {
        id: i64, title: Option<String>, department: Option<i64>, address: Option<String>, is_enabled: Option<bool>,
        status: Option<String>, is_online: Option<bool>, is_analytic_available: Option<bool>,
        is_open_door_code: Option<bool>, is_open_door_face: Option<bool>, is_open_door_app: Option<bool>,
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", content = "data")]
#[expect(dead_code, reason = "a consumer would read them")]
enum Body {
    #[serde(rename = "camera.store_favorite")]
    Favorite(Favorite),
    #[serde(rename = "mark_created")]
    Mark(Box<Mark>),
}

#[derive(Deserialize)]
#[serde(tag = "type")]
#[expect(dead_code, reason = "a consumer would read it")]
enum Notification {
    #[serde(rename = "intercom.call.store")]
    Call { id: String, intercom_call: Box<Call> },
}

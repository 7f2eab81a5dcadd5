//! Members of presence channels, and how they change.

use serde_json::{Map, json};

use crate::websocket::{Opcode, server_frame};
use crate::workload::{MEMBERS, presence_channel};

/// The id of the one who subscribes.
pub(super) const ME: &str = "member-0";

/// Returns the data of the acknowledgement: who is there.
pub(super) fn members() -> String {
    let ids: Vec<String> = (0..MEMBERS).map(|member| format!("member-{member}")).collect();
    let hash: Map<_, _> = ids.iter().map(|id| (id.clone(), json!({ "name": format!("Name of {id}") }))).collect();
    json!({ "presence": { "count": ids.len(), "ids": ids, "hash": hash } }).to_string()
}

/// Returns the frames in which on each channel one comes, and then on each channel that one goes.
pub(super) fn changes(channels: usize) -> Vec<Vec<u8>> {
    let added = json!({ "user_id": "guest", "user_info": { "name": "Name of the guest" } });
    let change = |event: &str, channel: usize, data: &serde_json::Value| {
        let channel = presence_channel(channel);
        let text = json!({ "event": event, "channel": channel, "data": data.to_string() }).to_string();
        server_frame(Opcode::Text, text.as_bytes())
    };
    let come = (0..channels).map(|channel| change("pusher_internal:member_added", channel, &added));
    let gone = json!({ "user_id": "guest" });
    let go = (0..channels).map(|channel| change("pusher_internal:member_removed", channel, &gone));
    come.chain(go).collect()
}

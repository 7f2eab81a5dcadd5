//! The little HTTP that clients ask for: an upgrade, and the authorization of a channel.

use serde_json::json;

use super::presence::ME;

/// What a client asks for.
pub(super) enum Request {
    /// A WebSocket connection, with this `Sec-WebSocket-Key`.
    Upgrade { key: String },
    /// Anything else; the answer is an authorization, as a member when it is for a presence channel.
    Authorization { closes: bool, as_member: bool },
}

/// Takes the first request out of `buffer`, with its body, if it is complete.
pub(super) fn take_request(buffer: &mut Vec<u8>) -> Option<Request> {
    let head_end = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(buffer.get(..head_end)?).into_owned();
    let header = |name: &str| {
        head.lines()
            .filter_map(|line| line.split_once(':'))
            .find_map(|(found, value)| found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned()))
    };
    let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let end = head_end + length;
    if buffer.len() < end {
        return None;
    }
    let body = buffer.drain(..end).skip(head_end).collect::<Vec<_>>();
    let as_member = String::from_utf8_lossy(&body).contains("channel_name=presence-");
    let closes = header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    Some(
        header("sec-websocket-key")
            .map_or(Request::Authorization { closes, as_member }, |key| Request::Upgrade { key }),
    )
}

/// Returns the answer that authorizes whatever was asked.
pub(super) fn authorization(as_member: bool) -> String {
    let mut body = json!({ "auth": format!("{}:{}", super::APP_KEY, "5".repeat(64)) });
    if as_member {
        body["channel_data"] = json!({ "user_id": ME, "user_info": { "name": "Member" } }).to_string().into();
    }
    let body = body.to_string();
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

//! The little HTTP that clients ask for: an upgrade, and the authorization of a channel.

/// What a client asks for.
pub(super) enum Request {
    /// A WebSocket connection, with this `Sec-WebSocket-Key`.
    Upgrade { key: String },
    /// Anything else; the answer is an authorization.
    Authorization { closes: bool },
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
    buffer.drain(..end);
    let closes = header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    Some(header("sec-websocket-key").map_or(Request::Authorization { closes }, |key| Request::Upgrade { key }))
}

/// Returns the answer that authorizes whatever was asked.
pub(super) fn authorization() -> String {
    let body = format!(r#"{{"auth":"{}:{}"}}"#, super::APP_KEY, "5".repeat(64));
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

//! How a sandbox stands, for a person.

use std::fmt::Write as _;

use vms_sandbox::{SandboxState, SessionInfo, SocketInfo, TokenStatus};

use crate::output::escape;

pub(super) fn to_text(state: &SandboxState) -> String {
    let mut text = format!("base URL  {}\nprofile   {}\n", state.base_url, state.profile);
    section(&mut text, "sessions", state.sessions.iter().map(session));
    section(&mut text, "sockets", state.sockets.iter().map(socket));
    section(&mut text, "ended sockets", state.ended.iter().map(socket));
    section(&mut text, "channels", state.channels.iter().map(|(name, sockets)| format!("{name}  {sockets}")));
    section(&mut text, "requests", state.requests.iter().map(|(place, times)| format!("{place}  {times}")));
    let _ = write!(text, "\n{} upgrades and {} sockets in total", state.upgrades_ever, state.sockets_ever);
    if state.crashes > 0 {
        let _ = write!(text, ", {} crashes", state.crashes);
    }
    escape::lines(&text).into_owned()
}

fn section(text: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let mut lines = lines.peekable();
    if lines.peek().is_none() {
        return;
    }
    let _ = writeln!(text, "\n{title}");
    for line in lines {
        let _ = writeln!(text, "  {line}");
    }
}

fn session(session: &SessionInfo) -> String {
    let status = match session.token_status {
        TokenStatus::Valid => "valid",
        TokenStatus::Expired => "expired (419)",
        TokenStatus::Revoked => "ended (401)",
    };
    format!("{}  of user {}  {status}", session.access_token_id, session.user_id)
}

fn socket(socket: &SocketInfo) -> String {
    let SocketInfo { number, id, channels, frames_received, frames_sent, stalled, ending, .. } = socket;
    let mut line = format!("{number}  {id}  received {frames_received}, sent {frames_sent}");
    if *stalled {
        line.push_str(", stalled");
    }
    if let Some(ending) = ending {
        let _ = write!(line, ", {ending}");
    }
    if !channels.is_empty() {
        let _ = write!(line, "; {}", channels.join(", "));
    }
    line
}

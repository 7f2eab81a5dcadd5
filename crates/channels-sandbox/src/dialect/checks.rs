//! What servers check before they accept a request.

use super::{
    habits::{Context, UpgradeRequest},
    message::ClientMessage,
};

/// Checks the upgrade as RFC 6455, 4.2.1 requires: `None` if it is valid, otherwise the status.
pub(super) fn rfc_upgrade_problem(request: &UpgradeRequest<'_>) -> Option<u16> {
    let mut tokens = request.connection.split(',').map(str::trim);
    let asks = tokens.any(|token| token.eq_ignore_ascii_case("upgrade"));
    if !asks || !request.upgrade.eq_ignore_ascii_case("websocket") || request.version != "13" {
        return Some(426);
    }
    // 16 bytes in base64.
    (request.key.len() != 24 || !request.key.ends_with("==")).then_some(400)
}

pub(super) fn needs_signature(channel: &str) -> bool {
    channel.starts_with("private-") || channel.starts_with("presence-")
}

/// Whether the signature in `auth` is right; the part before the colon is ignored.
pub(super) fn signed(context: &Context<'_>, message: &ClientMessage, channel: &str) -> bool {
    let Some(auth) = message.data_text("auth") else { return false };
    let given = auth.rsplit(':').next().unwrap_or_default();
    given == context.app.signature(context.socket_id, channel, message.data_text("channel_data"))
}

/// Whether `auth` begins with the key of the application.
pub(super) fn own_key(message: &ClientMessage, context: &Context<'_>) -> bool {
    message.data_text("auth").and_then(|auth| auth.split_once(':')).is_some_and(|(key, _)| key == context.app.key)
}

/// At most `longest` characters out of `A-Za-z0-9_-=@,.;` (Pusher's documentation, "Channel naming conventions").
pub(crate) fn is_channel_name(name: &str, longest: usize) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-=@,.;".contains(&byte);
    !name.is_empty() && name.len() <= longest && name.bytes().all(allowed)
}

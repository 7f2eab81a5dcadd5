//! JSON lines: one object a line, whose names never change.

use serde::Serialize;
use vms_pusher::{VmsChannel, VmsSocketItem, VmsTime};

use super::escape;

/// The line of an item: the item's own JSON with the time in front.
pub(crate) struct ItemLine<'i> {
    /// When it was printed.
    pub(crate) time: VmsTime,
    /// Whose it is, where there may be several.
    pub(crate) account: Option<&'i str>,
    /// In the demonstration, which has two.
    pub(crate) side: Option<&'static str>,
    pub(crate) origin: Origin<'i>,
    pub(crate) item: &'i VmsSocketItem,
}

/// Where a push comes from.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Origin<'i> {
    pub(crate) channel: Option<VmsChannel>,
    /// Its type on the wire.
    pub(crate) wire_type: Option<&'i str>,
    /// What it was made from, if that was asked for.
    pub(crate) raw: Option<&'i str>,
}

/// What stands in front of the item.
#[derive(Serialize)]
struct Front<'i> {
    time: VmsTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'i str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<VmsChannel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wire_type: Option<&'i str>,
}

impl ItemLine<'_> {
    /// Appends the line, safe for a terminal. (Two objects joined: serde would go a long way round to flatten one into the
    /// other.)
    pub(crate) fn push_to(&self, lines: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        let start = lines.len();
        let Origin { channel, wire_type, raw } = self.origin;
        let front = Front { time: self.time, account: self.account, side: self.side, channel, wire_type };
        serde_json::to_writer(&mut *lines, &front)?;
        lines.pop();
        let seam = lines.len();
        serde_json::to_writer(&mut *lines, self.item)?;
        if let Some(brace) = lines.get_mut(seam) {
            *brace = b',';
        }
        if let Some(raw) = raw {
            lines.pop();
            lines.extend_from_slice(b",\"raw\":");
            serde_json::to_writer(&mut *lines, raw)?;
            lines.push(b'}');
        }
        if !is_visible_ascii(lines.get(start..).unwrap_or_default()) {
            let line = lines.split_off(start);
            lines.extend_from_slice(escape::json(String::from_utf8_lossy(&line).into_owned()).as_bytes());
        }
        lines.push(b'\n');
        Ok(())
    }
}

/// Sixty-four bytes at a time, for lines are long.
fn is_visible_ascii(bytes: &[u8]) -> bool {
    let is_visible = |byte: &u8| byte.wrapping_sub(b' ') <= b'~' - b' ';
    bytes.chunks(64).all(|chunk| chunk.iter().fold(true, |all, byte| all & is_visible(byte)))
}

/// One line of JSON, safe for a terminal.
pub(crate) fn line(value: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string(value).map(escape::json)
}

#[cfg(test)]
mod tests {
    use vms_pusher::{PusherError, PusherErrorKind, VmsContinuity, VmsDecoder, VmsResyncScope};

    use super::*;
    use crate::event_name;

    fn items() -> Vec<VmsSocketItem> {
        let decoder = VmsDecoder::new("https://example.com");
        let nasty = r#"{"type":"intercom.store","intercom":{"id":9007199254740993,"title":"\u001b[31m\u202ex\u009b"}}"#;
        let now = VmsTime::parse("2024-03-05T10:11:12.000001Z").unwrap();
        vec![
            decoder.decode(vms_pusher::BROADCAST_NOTIFICATION, "private-user.42", nasty).into(),
            decoder.decode("other", "private-user.42", "{\u{7f}").into(),
            VmsSocketItem::Error(PusherError {
                kind: PusherErrorKind::ServerError,
                status: None,
                code: Some(4301),
                message: "a\u{1b}b".to_owned(),
            }),
            VmsSocketItem::Info { message: String::new() },
            VmsSocketItem::Continuity(VmsContinuity::ResyncNeeded {
                channel: VmsChannel::Token,
                scopes: VmsResyncScope::ALL.to_vec(),
                since: now,
                until: now,
                clock: None,
            }),
            VmsSocketItem::Continuity(VmsContinuity::Lagged { dropped: u64::MAX }),
        ]
    }

    // M06
    #[test]
    fn a_line_reads_back_as_the_same_item_and_is_safe_for_a_terminal() {
        let time = VmsTime::parse("2024-03-05T10:11:12Z").unwrap();
        let raw = Some("{\u{1b}\n\u{202e}\u{7f}");
        let origin = Origin { channel: Some(VmsChannel::User), wire_type: Some("mark_created"), raw };
        for (account, side, front) in [
            (None, None, ""),
            (None, Some("client"), r#""side":"client","#),
            (Some("anna"), None, r#""account":"anna","#),
        ] {
            let mut lines = Vec::new();
            for item in &items() {
                let origin = if event_name::of_item(item).is_some() { origin } else { Origin::default() };
                ItemLine { time, account, side, origin, item }.push_to(&mut lines).unwrap();
            }
            let lines = String::from_utf8(lines).unwrap();
            assert_eq!(lines.lines().count(), items().len());
            for (line, item) in lines.lines().zip(items()) {
                let is_push = event_name::of_item(&item).is_some();
                let origin = if is_push { r#""channel":"user","wire_type":"mark_created","# } else { "" };
                let front = format!(r#"{{"time":"2024-03-05T10:11:12.000000Z",{front}{origin}"item":"#);
                assert!(line.starts_with(&front), "{line}");
                assert!(!line.contains(['\u{1b}', '\u{9b}', '\u{7f}', '\u{202e}']), "{line}");
                assert_eq!(serde_json::from_str::<VmsSocketItem>(line).unwrap(), item);
            }
        }
    }
}

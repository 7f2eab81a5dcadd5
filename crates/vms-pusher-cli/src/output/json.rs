//! JSON lines: one object a line, whose names never change.

use serde::Serialize;
use vms_pusher::{VmsSocketItem, VmsTime};

use super::escape;

/// The line of an item: the item's own JSON with the time in front.
#[derive(Serialize)]
pub(crate) struct ItemLine<'i> {
    /// When it was printed.
    pub(crate) time: VmsTime,
    /// In the demonstration, which has two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) side: Option<&'static str>,
    #[serde(flatten)]
    pub(crate) item: &'i VmsSocketItem,
}

/// One line of JSON, safe for a terminal.
pub(crate) fn line(value: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string(value).map(escape::json)
}

#[cfg(test)]
mod tests {
    use vms_pusher::{PusherError, PusherErrorKind, VmsChannel, VmsContinuity, VmsDecoder, VmsResyncScope};

    use super::*;

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
        for item in items() {
            let line = line(&ItemLine { time, side: None, item: &item }).unwrap();
            assert!(line.starts_with(r#"{"time":"2024-03-05T10:11:12.000000Z","item":"#), "{line}");
            assert!(!line.contains(['\u{1b}', '\u{9b}', '\u{7f}', '\u{202e}', '\n']), "{line}");
            assert_eq!(serde_json::from_str::<VmsSocketItem>(&line).unwrap(), item);
        }
    }
}

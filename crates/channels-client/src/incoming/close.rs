//! The server's close frame. It does not go through the WebSocket library, which logs the reason in it (fault Q08).

/// What the server's close frame says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ServerClose {
    /// It is a close frame, with a code and a reason or without.
    Frame { code: Option<u16>, reason: String },
    /// It breaks the WebSocket protocol (RFC 6455, section 5.5): masked, too long, or with half a code.
    Broken(&'static str),
    /// Its reason is not UTF-8.
    NotText,
}

/// A close frame on its way in.
#[derive(Debug, Default)]
pub(super) struct Closing(Vec<u8>);

impl Closing {
    /// Returns whether a frame that begins with `bytes` is a close frame.
    pub(super) fn begins(bytes: &[u8]) -> bool {
        bytes.first() == Some(&WHOLE_CLOSE)
    }

    /// Takes more of the frame. Returns how many of the `bytes` belonged to it, and what it says once it is complete.
    pub(super) fn take(&mut self, bytes: &[u8]) -> (usize, Option<ServerClose>) {
        for (index, byte) in bytes.iter().enumerate() {
            self.0.push(*byte);
            if let Some(said) = self.said() {
                return (index + 1, Some(said));
            }
        }
        (bytes.len(), None)
    }

    fn said(&self) -> Option<ServerClose> {
        let length = *self.0.get(1)?;
        if length & MASKED != 0 {
            return Some(ServerClose::Broken("the server masked its close frame"));
        }
        if length > LONGEST {
            return Some(ServerClose::Broken("the server's close frame is too long"));
        }
        let payload = self.0.get(2..2 + usize::from(length))?;
        Some(match payload.split_first_chunk() {
            Some((code, reason)) => match std::str::from_utf8(reason) {
                Ok(reason) => ServerClose::Frame { code: Some(u16::from_be_bytes(*code)), reason: reason.to_owned() },
                Err(_) => ServerClose::NotText,
            },
            None if payload.is_empty() => ServerClose::Frame { code: None, reason: String::new() },
            None => ServerClose::Broken("the server's close frame contains half a code"),
        })
    }
}

/// The last and only frame of its message, with no reserved bit.
const WHOLE_CLOSE: u8 = 0x88;
const MASKED: u8 = 0x80;
/// Control frames are short.
const LONGEST: u8 = 125;

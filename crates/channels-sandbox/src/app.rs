//! An application, its signatures, and socket ids.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The application that sockets connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// Its id, which names it in the HTTP API.
    pub id: String,
    /// Its key, which names it in the URL of a socket.
    pub key: String,
    /// The secret that signs channel authorizations and the requests of the HTTP API.
    pub secret: String,
}

impl App {
    /// The `auth` of a channel authorization, `{key}:{hex hmac-sha256}`, over the socket id, the channel and, for
    /// presence, the channel data.
    #[must_use]
    pub fn authorize(&self, socket_id: &str, channel: &str, channel_data: Option<&str>) -> String {
        format!("{}:{}", self.key, self.signature(socket_id, channel, channel_data))
    }

    pub(crate) fn signature(&self, socket_id: &str, channel: &str, channel_data: Option<&str>) -> String {
        let mut text = format!("{socket_id}:{channel}");
        if let Some(channel_data) = channel_data {
            text.push(':');
            text.push_str(channel_data);
        }
        self.sign(&text)
    }

    /// The signature of a text, in hex.
    pub(crate) fn sign(&self, text: &str) -> String {
        // HMAC takes a key of any length, so there is nothing to fail.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()) else {
            return String::new();
        };
        mac.update(text.as_bytes());
        hex(&mac.finalize().into_bytes())
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a text has the form of a socket id: digits, a dot, digits.
#[must_use]
pub fn is_socket_id(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('.').is_some_and(|(left, right)| digits(left) && digits(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of Pusher's documentation, "Channel authentication".
    #[test]
    fn signatures_agree_with_the_published_examples() {
        let app = App { id: "3".into(), key: "278d425bdf160c739803".into(), secret: "7ad3773142a6692b25b8".into() };
        assert_eq!(
            app.authorize("1234.1234", "private-foobar", None),
            "278d425bdf160c739803:58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4"
        );
        let data = r#"{"user_id":10,"user_info":{"name":"Mr. Channels"}}"#;
        assert_eq!(
            app.authorize("1234.1234", "presence-foobar", Some(data)),
            "278d425bdf160c739803:31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80"
        );
    }

    #[test]
    fn socket_ids_are_two_numbers_with_a_dot() {
        assert!(is_socket_id("123.456"));
        for bad in ["", "123", ".1", "1.", "1.2.3", "a.1", "1.2:private-x"] {
            assert!(!is_socket_id(bad), "{bad}");
        }
    }
}

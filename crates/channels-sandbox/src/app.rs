//! An application, what it signs and encrypts for its clients, and socket ids.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{member::Membership, secretbox};

/// The application that sockets connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// Its id, which names it in the HTTP API.
    pub id: String,
    /// Its key, which names it in the URL of a socket.
    pub key: String,
    /// The secret that signs channel authorizations and the requests of the HTTP API.
    pub secret: String,
    /// The master key of encrypted channels.
    pub encryption_master_key: [u8; 32],
}

impl App {
    /// The `auth` of a channel authorization, `{key}:{hex hmac-sha256}`, over the socket id, the channel and, for
    /// presence, the channel data.
    #[must_use]
    pub fn authorize(&self, socket_id: &str, channel: &str, channel_data: Option<&str>) -> String {
        format!("{}:{}", self.key, self.signature(socket_id, channel, channel_data))
    }

    /// The `channel_data` of a member of a presence channel, to be authorized and sent with the subscribe.
    #[must_use]
    pub fn channel_data(user_id: &str, user_info: Option<&Value>) -> String {
        Value::from(Membership::new(user_id.into(), user_info.cloned()).data().clone()).to_string()
    }

    /// The `auth` of a user authentication, `{key}:{hex hmac-sha256}`, over the socket id and the user data: JSON with an
    /// `id`.
    #[must_use]
    pub fn authenticate_user(&self, socket_id: &str, user_data: &str) -> String {
        format!("{}:{}", self.key, self.sign(&format!("{socket_id}::user::{user_data}")))
    }

    /// The `shared_secret` of an encrypted channel, in base64: the SHA-256 of the channel and the master key.
    #[must_use]
    pub fn shared_secret(&self, channel: &str) -> String {
        STANDARD.encode(self.channel_key(channel))
    }

    /// The data of an event of an encrypted channel: JSON with a `nonce` and the `ciphertext`. The nonce is
    /// derived from the key and the data, so the same data gives the same event.
    #[must_use]
    pub fn encrypt(&self, channel: &str, data: &str) -> String {
        let key = self.channel_key(channel);
        let hash = Sha256::new().chain_update(key).chain_update(data).finalize();
        let mut nonce = [0; 24];
        nonce.copy_from_slice(&hash[..24]);
        let ciphertext = secretbox::seal(&key, &nonce, data.as_bytes());
        json!({"nonce": STANDARD.encode(nonce), "ciphertext": STANDARD.encode(ciphertext)}).to_string()
    }

    fn channel_key(&self, channel: &str) -> [u8; 32] {
        Sha256::new().chain_update(channel).chain_update(self.encryption_master_key).finalize().into()
    }

    pub(crate) fn signature(&self, socket_id: &str, channel: &str, channel_data: Option<&str>) -> String {
        match channel_data {
            None => self.sign(&format!("{socket_id}:{channel}")),
            Some(data) => self.sign(&format!("{socket_id}:{channel}:{data}")),
        }
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
        let app = App {
            id: "3".into(),
            key: "278d425bdf160c739803".into(),
            secret: "7ad3773142a6692b25b8".into(),
            encryption_master_key: [0; 32],
        };
        assert_eq!(
            app.authorize("1234.1234", "private-foobar", None),
            "278d425bdf160c739803:58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4"
        );
        let data = r#"{"user_id":10,"user_info":{"name":"Mr. Channels"}}"#;
        assert_eq!(
            app.authorize("1234.1234", "presence-foobar", Some(data)),
            "278d425bdf160c739803:31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80"
        );
        let user = r#"{"id":"12345"}"#;
        assert_eq!(
            app.authenticate_user("1234.1234", user),
            "278d425bdf160c739803:4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba"
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

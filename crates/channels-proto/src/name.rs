use std::sync::Arc;

use thiserror::Error;

use crate::{Printable, text_type::text_type};

/// The name of a channel, valid by construction.
///
/// At most 164 characters out of `A-Z a-z 0-9 _ - = @ , . ;`, and the leading `#` of `#server-to-user-` (Pusher Channels
/// protocol, "Channel naming conventions"). Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelName(Arc<str>);

/// The kind of a channel, given by the prefix of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChannelKind {
    /// Anyone may subscribe.
    Public,
    /// Needs a signature from the authorization endpoint.
    Private,
    /// Private, with payloads encrypted with a key that only its subscribers have.
    PrivateEncrypted,
    /// Private, and its members can see each other.
    Presence,
    /// A signed-in user's own channel, subscribed by signing in.
    ServerToUser,
}

impl ChannelKind {
    /// Returns whether a caller can subscribe to channels of this kind: to encrypted ones with the crate feature
    /// `encryption`, and to a user's own channel only by signing in.
    #[must_use]
    pub const fn is_supported(self) -> bool {
        match self {
            Self::Public | Self::Private | Self::Presence => true,
            Self::PrivateEncrypted => cfg!(feature = "encryption"),
            Self::ServerToUser => false,
        }
    }
}

/// Why a text is not a valid channel name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ChannelNameError {
    /// The name is empty.
    #[error("the channel name is empty")]
    Empty,
    /// The name is longer than the protocol allows.
    #[error("the channel name has {length} characters; at most {MAX_CHANNEL_NAME} are allowed")]
    TooLong {
        /// Characters in the name.
        length: usize,
    },
    /// The name contains a character outside the allowed set.
    #[error("the channel name `{}` contains {character:?}; allowed are letters, digits and _-=@,.;", Printable(.name))]
    Character {
        /// The name.
        name: String,
        /// The first character that is not allowed.
        character: char,
    },
}

impl ChannelName {
    /// Checks and copies `name`.
    ///
    /// # Errors
    /// When the name is empty, too long, or contains a character that is not allowed.
    pub fn parse(name: &str) -> Result<Self, ChannelNameError> {
        if name.is_empty() {
            return Err(ChannelNameError::Empty);
        }
        let length = name.chars().count();
        if length > MAX_CHANNEL_NAME {
            return Err(ChannelNameError::TooLong { length });
        }
        let checked = if name.starts_with(SERVER_TO_USER) { name.trim_start_matches('#') } else { name };
        match checked.chars().find(|&c| !(c.is_ascii_alphanumeric() || "_-=@,.;".contains(c))) {
            Some(character) => Err(ChannelNameError::Character { name: name.to_owned(), character }),
            None => Ok(Self(name.into())),
        }
    }

    /// Returns the name as it is on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the kind of the channel, by its prefix.
    #[must_use]
    pub fn kind(&self) -> ChannelKind {
        let name = self.as_str();
        if name.starts_with("private-encrypted-") {
            ChannelKind::PrivateEncrypted
        } else if name.starts_with("private-") {
            ChannelKind::Private
        } else if name.starts_with("presence-") {
            ChannelKind::Presence
        } else if name.starts_with(SERVER_TO_USER) {
            ChannelKind::ServerToUser
        } else {
            ChannelKind::Public
        }
    }
}

impl ChannelName {
    /// Returns whether the server keeps the last event of the channel for new subscribers: the name goes on with `cache-`
    /// after the prefix of its kind.
    #[must_use]
    pub fn is_cache(&self) -> bool {
        let name = self.as_str();
        let prefixes = ["private-encrypted-", "private-", "presence-", ""];
        let rest = prefixes.into_iter().find_map(|prefix| name.strip_prefix(prefix));
        rest.is_some_and(|rest| rest.starts_with("cache-"))
    }
}

impl std::borrow::Borrow<str> for ChannelName {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

/// The id that the server assigned to a socket; opaque text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SocketId(Arc<str>);

impl SocketId {
    /// Copies `id` if it is a possible id: 1 to 128 printable ASCII characters without spaces.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        let fits = (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| Self(id.into()))
    }

    /// Returns the id as the server wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The key of the application on the Pusher server; it is part of the URL and precedes the colon in every signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppKey(Arc<str>);

/// Why a text is not a valid application key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AppKeyError {
    /// The key is empty.
    #[error("the app key is empty")]
    Empty,
    /// The key contains a character that is not allowed unescaped in a path segment.
    #[error("the app key `{}` contains {character:?}; allowed are letters, digits and -._~", Printable(.key))]
    Character {
        /// The key.
        key: String,
        /// The first character that is not allowed.
        character: char,
    },
}

impl AppKey {
    /// Checks and copies `key`.
    ///
    /// # Errors
    /// When the key is empty or contains anything but the unreserved characters of RFC 3986, section 2.3.
    pub fn parse(key: &str) -> Result<Self, AppKeyError> {
        if key.is_empty() {
            return Err(AppKeyError::Empty);
        }
        match key.chars().find(|&c| !(c.is_ascii_alphanumeric() || "-._~".contains(c))) {
            Some(character) => Err(AppKeyError::Character { key: key.to_owned(), character }),
            None => Ok(Self(key.into())),
        }
    }

    /// Returns the key as it is on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is not a possible socket id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a socket id has 1 to 128 printable ASCII characters without spaces")]
pub struct SocketIdError;

text_type!(ChannelName, ChannelNameError, ChannelName::parse);
text_type!(SocketId, SocketIdError, |id| SocketId::parse(id).ok_or(SocketIdError));
text_type!(AppKey, AppKeyError, AppKey::parse);

const MAX_CHANNEL_NAME: usize = 164;
const SERVER_TO_USER: &str = "#server-to-user-";

#[cfg(test)]
mod tests {
    use super::*;

    // S18
    #[test]
    fn a_bad_channel_name_is_refused_with_the_reason() {
        assert_eq!(ChannelName::parse(""), Err(ChannelNameError::Empty));
        assert!(ChannelName::parse(&"a".repeat(164)).is_ok());
        assert_eq!(ChannelName::parse(&"a".repeat(165)), Err(ChannelNameError::TooLong { length: 165 }));
        for (name, character) in [("a b", ' '), ("a\r\nb", '\r'), ("é", 'é'), ("a#b", '#'), ("#other", '#')] {
            let expected = ChannelNameError::Character { name: name.to_owned(), character };
            assert_eq!(ChannelName::parse(name), Err(expected));
        }
    }

    #[test]
    fn the_prefix_of_a_name_tells_its_kind() {
        let kind = |name| ChannelName::parse(name).map(|name| name.kind());
        assert_eq!(kind("private-token.abc"), Ok(ChannelKind::Private));
        assert_eq!(kind("private-cache-x"), Ok(ChannelKind::Private));
        assert_eq!(kind("private-encrypted-x"), Ok(ChannelKind::PrivateEncrypted));
        assert_eq!(kind("private-encrypted-cache-x"), Ok(ChannelKind::PrivateEncrypted));
        assert_eq!(kind("presence-cache-x"), Ok(ChannelKind::Presence));
        assert_eq!(kind("cache-x"), Ok(ChannelKind::Public));
        assert_eq!(kind("privately"), Ok(ChannelKind::Public));
        assert_eq!(kind("#server-to-user-42"), Ok(ChannelKind::ServerToUser));
        let cache = ["cache-x", "private-cache-x", "private-encrypted-cache-x", "presence-cache-x"];
        assert!(cache.into_iter().all(|name| ChannelName::parse(name).unwrap().is_cache()));
        let others = ["x", "cached", "private-x", "private-encrypted-x", "x-cache-", "public-cache-x"];
        assert!(!others.into_iter().any(|name| ChannelName::parse(name).unwrap().is_cache()));
    }

    // H05
    #[test]
    fn an_app_key_that_would_change_the_path_is_refused() {
        for key in ["a/b", "a?b", "a b", "a\r\n", "%41"] {
            assert!(matches!(AppKey::parse(key), Err(AppKeyError::Character { .. })), "{key:?}");
        }
        assert_eq!(AppKey::parse(""), Err(AppKeyError::Empty));
        assert!(AppKey::parse("app-Key_1.2~").is_ok());
    }

    // P05
    #[test]
    fn a_socket_id_is_an_opaque_printable_text() {
        assert!(SocketId::parse("1795521896925195131.1442880739").is_some());
        for id in ["", "1 2", "1\n2", "é"] {
            assert_eq!(SocketId::parse(id), None, "{id:?}");
        }
        assert_eq!(SocketId::parse(&"1".repeat(129)), None);
    }
}

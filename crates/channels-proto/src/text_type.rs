//! The usual conversions of a type that is a checked text.

/// Implements them for `$name`, which has `as_str`; `$parse` checks a text.
macro_rules! text_type {
    ($name:ident, $error:ty, $parse:expr) => {
        impl std::str::FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                let parse: fn(&str) -> Result<Self, $error> = $parse;
                parse(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = $error;

            fn try_from(text: &str) -> Result<Self, $error> {
                text.parse()
            }
        }

        impl TryFrom<String> for $name {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, $error> {
                text.parse()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use text_type;

#[cfg(test)]
mod tests {
    use crate::{AppKey, AppKeyError, ChannelName, ChannelNameError, SocketId, SocketIdError};

    #[test]
    fn every_conversion_checks_the_text() {
        assert_eq!("a".parse::<ChannelName>().unwrap().as_ref(), "a");
        assert_eq!(ChannelName::try_from(""), Err(ChannelNameError::Empty));
        assert_eq!(SocketId::try_from("1.2".to_owned()).unwrap().to_string(), "1.2");
        assert_eq!("1 2".parse::<SocketId>(), Err(SocketIdError));
        assert_eq!(AppKey::try_from("key").unwrap().to_string(), "key");
        assert!(matches!(AppKey::try_from("a/b".to_owned()), Err(AppKeyError::Character { character: '/', .. })));
    }

    #[cfg(feature = "serde")]
    #[test]
    fn a_name_is_a_string_in_a_document_and_a_bad_one_is_refused_with_the_reason() {
        let name: ChannelName = serde_json::from_str(r#""private-a""#).unwrap();
        assert_eq!(serde_json::to_string(&name).unwrap(), r#""private-a""#);
        let error = serde_json::from_str::<ChannelName>(r#""a b""#).unwrap_err().to_string();
        assert!(error.contains("the channel name `a b` contains ' '"), "{error}");
        assert!(serde_json::from_str::<AppKey>("1").is_err());
        assert_eq!(serde_json::from_str::<SocketId>(r#""1.2""#).unwrap().as_str(), "1.2");
    }
}

use channels_client::UrlError;
use channels_proto::{AppKeyError, ChannelNameError, OptionError, Printable};
use thiserror::Error;

/// What is wrong with a configuration. Nothing has been sent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// `base_url` is not a valid address of a VMS.
    #[error("base_url: {0}")]
    BaseUrl(UrlError),
    /// `socket_url` is not a valid address of a Pusher server.
    #[error("socket_url: {0}")]
    SocketUrl(UrlError),
    /// The socket would not be encrypted although the API is.
    #[error("socket_url: `{socket_url}` is not encrypted, but base_url is: use wss://, or set allow_insecure_socket")]
    InsecureSocketUrl {
        /// The socket's address.
        socket_url: String,
    },
    /// `app_key` is not a valid key.
    #[error("app_key: {0}")]
    AppKey(AppKeyError),
    /// `user_token` is not a valid token. The message does not show it.
    #[error("user_token: {reason}")]
    UserToken {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// `user_id` is not a valid id.
    #[error("user_id: {value} is negative")]
    UserId {
        /// The id.
        value: i64,
    },
    /// `access_token_id` is not a valid id.
    #[error("access_token_id: {}", describe_id(.value, .error))]
    AccessTokenId {
        /// The id.
        value: String,
        /// What is wrong with the channel name made from it.
        error: ChannelNameError,
    },
    /// A text in `options.client` is not allowed in a header.
    #[error("options.client.{field}: `{}` is not allowed in a header", Printable(.value))]
    ClientInfo {
        /// The field.
        field: &'static str,
        /// The text.
        value: String,
    },
    /// A time in `options` is not between a millisecond and a day, or a limit is out of range.
    #[error("options.{0}")]
    Option(#[from] OptionError),
    /// The process's shared runtime could not be started.
    #[error("the runtime could not be started: {reason}")]
    Runtime {
        /// The operating system's error.
        reason: String,
    },
}

fn describe_id(value: &str, error: &ChannelNameError) -> String {
    if value.is_empty() { "the id is empty".to_owned() } else { error.to_string() }
}

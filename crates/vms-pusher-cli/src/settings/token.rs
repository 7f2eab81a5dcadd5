//! A token from a file, stdin or the environment.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use channels_client::proto::ChannelName;
use vms_pusher::{DynTokenProvider, Secret, TokenError, TokenProvider};

use super::{credentials::Credentials, files};
use crate::failure::Failure;

/// Checks the token and the ids that belong to it.
pub(super) fn credentials(
    file: Option<PathBuf>,
    user_id: Option<i64>,
    id: Option<String>,
) -> Result<Credentials, Failure> {
    let token = match &file {
        Some(path) => of_file(path)?,
        None => of_environment()?,
    };
    let (Some(user_id), Some(access_token_id)) = (user_id, id) else {
        return Err(Failure::usage("a token alone does not say which channels are yours")
            .tip("add --user-id and --access-token-id, which came with the token, or use --login"));
    };
    if user_id < 0 {
        return Err(Failure::usage(format!("--user-id: {user_id} is negative")).tip(WHERE_IDS_COME_FROM));
    }
    if access_token_id.is_empty() {
        return Err(Failure::usage("--access-token-id is empty").tip(WHERE_IDS_COME_FROM));
    }
    ChannelName::parse(&format!("private-token.{access_token_id}"))
        .map_err(|error| Failure::usage(format!("--access-token-id: {error}")).tip(WHERE_IDS_COME_FROM))?;
    let of_file = |path: PathBuf| Arc::new(TokenFile(path)) as Arc<dyn DynTokenProvider>;
    let provider = file.filter(|path| path.as_os_str() != "-").map(of_file);
    Ok(Credentials::Token { token, provider, user_id, access_token_id })
}

fn of_environment() -> Result<Secret, Failure> {
    match std::env::var("VMS_TOKEN") {
        Ok(token) => parse("VMS_TOKEN", token.as_bytes()),
        Err(std::env::VarError::NotUnicode(_)) => parse("VMS_TOKEN", &[0xff]),
        Err(std::env::VarError::NotPresent) => {
            Err(Failure::usage("there is no token and no --login").tip(HOW_TO_GIVE_A_TOKEN))
        }
    }
}

fn of_file(path: &Path) -> Result<Secret, Failure> {
    parse("the file of --token-file", &files::read_secret("--token-file", path)?)
}

/// Reads the one token in a text; white space around it, and the mark with which some editors begin a file, are no part of
/// it. The error does not show it.
fn parse(source: &str, bytes: &[u8]) -> Result<Secret, Failure> {
    let wrong = |what: &str| Err(Failure::usage(what).tip(HOW_TO_GIVE_A_TOKEN));
    let Ok(text) = std::str::from_utf8(bytes) else { return wrong(&format!("{source} is not UTF-8")) };
    let token = text.trim_start_matches(BYTE_ORDER_MARK).trim();
    if token.is_empty() {
        return wrong(&format!("there is no token: {source} is empty"));
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return wrong(&format!("{source} does not hold exactly one token"));
    }
    Ok(Secret::new(token))
}

/// The token in a file, which someone else may renew. While that is being done the file may be empty, or hold both.
struct TokenFile(PathBuf);

impl TokenProvider for TokenFile {
    async fn token(&self) -> Result<Secret, TokenError> {
        let path = self.0.clone();
        let unavailable = |message: String| TokenError::Unavailable { message };
        let read = tokio::task::spawn_blocking(move || of_file(&path)).await;
        read.map_err(|error| unavailable(error.to_string()))?.map_err(|failure| unavailable(failure.message()))
    }

    async fn refresh(&self, _rejected: &Secret) -> Result<Secret, TokenError> {
        self.token().await
    }
}

const HOW_TO_GIVE_A_TOKEN: &str =
    "set VMS_TOKEN, or use --token-file FILE or --login NAME; a token is never an argument";
const WHERE_IDS_COME_FROM: &str = "it came with the token, at login; --login makes it unnecessary";
const BYTE_ORDER_MARK: char = '\u{feff}';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_token_is_read_and_anything_else_is_refused_without_being_shown() {
        for text in ["abc|1.2", " abc|1.2\r\n", "\u{feff}abc|1.2\n", "\u{feff}\u{feff} abc|1.2"] {
            assert_eq!(parse("x", text.as_bytes()).unwrap().expose(), "abc|1.2", "{text:?}");
        }
        for bytes in [b"" as &[u8], b"\n", b"\xef\xbb\xbf\n", b"abc\ndef\n", b"abc def", "abcé".as_bytes(), b"abc\xff"]
        {
            let refused = parse("x", bytes).unwrap_err().to_string();
            assert!(!refused.contains("abc") && !refused.contains("def"), "{refused}");
        }
    }

    // A02: a file that is being rewritten is no end, and no empty token
    #[tokio::test]
    async fn a_token_file_that_is_being_rewritten_is_unavailable() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let provider = TokenFile(file.path().to_owned());
        for text in ["", "old\nnew\n"] {
            std::fs::write(file.path(), text).unwrap();
            assert!(matches!(provider.token().await, Err(TokenError::Unavailable { .. })), "{text:?}");
            assert!(matches!(provider.refresh(&Secret::new("old")).await, Err(TokenError::Unavailable { .. })));
        }
        std::fs::write(file.path(), "new\n").unwrap();
        assert_eq!(provider.token().await.unwrap().expose(), "new");
    }
}

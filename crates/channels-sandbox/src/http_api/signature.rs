//! The signature of a request: Pusher's documentation, "HTTP API reference", "Authentication".

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use md5::{Digest as _, Md5};
use percent_encoding::percent_decode_str;

use super::failure::Failure;
use crate::app::{App, hex};

/// What is signed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signed<'a> {
    pub(super) method: &'a str,
    /// As it was sent.
    pub(super) path: &'a str,
    pub(super) parameters: &'a BTreeMap<String, String>,
    pub(super) body: &'a [u8],
}

/// The parameters of a query by name. Their names are in lower case, and both are decoded, as they are signed.
pub(super) fn parameters(query: &str) -> BTreeMap<String, String> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| (decoded(name).to_lowercase(), decoded(value))).collect()
}

impl Signed<'_> {
    /// Checks that the request is signed with the secret of `app`, and, if there is a `now`, that it was signed then.
    pub(super) fn check(&self, app: &App, now: Option<SystemTime>) -> Result<(), Failure> {
        if self.parameter("auth_key")? != app.key {
            return Err(Failure::unauthorized("auth_key", "auth_key is not the key of an application of this server"));
        }
        if self.parameter("auth_version")? != "1.0" {
            return Err(Failure::unauthorized("auth_version", "auth_version must be 1.0"));
        }
        let timestamp = self.parameter("auth_timestamp")?;
        if let Some(now) = now {
            check_timestamp(timestamp, now)?;
        }
        self.check_body()?;
        if self.parameter("auth_signature")? != app.sign(&self.text()) {
            let text = format!("auth_signature is wrong: it must be HmacSHA256Hex({:?}, your secret)", self.text());
            return Err(Failure::unauthorized("auth_signature", text));
        }
        Ok(())
    }

    fn check_body(&self) -> Result<(), Failure> {
        if self.body.is_empty() && !self.parameters.contains_key("body_md5") {
            return Ok(());
        }
        let sum = hex(&Md5::digest(self.body));
        if self.parameter("body_md5")? == sum {
            return Ok(());
        }
        Err(Failure::unauthorized("body_md5", format!("body_md5 is wrong: that of the received body is {sum}")))
    }

    /// The text that is signed.
    fn text(&self) -> String {
        let signed = self.parameters.iter().filter(|(name, _)| *name != "auth_signature");
        let pairs: Vec<_> = signed.map(|(name, value)| format!("{name}={value}")).collect();
        format!("{}\n{}\n{}", self.method, self.path, pairs.join("&"))
    }

    fn parameter(&self, name: &'static str) -> Result<&str, Failure> {
        let missing = || Failure::unauthorized(name, format!("the parameter {name} is missing"));
        self.parameters.get(name).map(String::as_str).ok_or_else(missing)
    }
}

fn check_timestamp(timestamp: &str, now: SystemTime) -> Result<(), Failure> {
    let failure = |text: String| Failure::unauthorized("auth_timestamp", text);
    let Ok(seconds) = timestamp.parse() else {
        return Err(failure("auth_timestamp must be seconds since 1970".to_owned()));
    };
    let (given, now) = (Duration::from_secs(seconds), now.duration_since(UNIX_EPOCH).unwrap_or_default());
    if given.abs_diff(now) <= TOLERANCE {
        return Ok(());
    }
    let (now, tolerance) = (now.as_secs(), TOLERANCE.as_secs());
    Err(failure(format!("auth_timestamp {seconds} is more than {tolerance} s from the time of the server, {now}")))
}

/// Pusher's documentation, "HTTP API reference", "Authentication".
const TOLERANCE: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}"#;
    /// The worked example of Pusher's documentation, "HTTP API reference", "Worked authentication example".
    const QUERY: &str = "auth_key=278d425bdf160c739803&auth_timestamp=1353088179&auth_version=1.0\
                         &body_md5=ec365a775a4cd0599faeb73354201b6f\
                         &auth_signature=da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c";
    const SIGNED_AT: Duration = Duration::from_secs(1_353_088_179);

    fn check(query: &str, body: &str, now: Option<Duration>) -> Result<(), Failure> {
        let app = App {
            id: "3".into(),
            key: "278d425bdf160c739803".into(),
            secret: "7ad3773142a6692b25b8".into(),
            encryption_master_key: [0; 32],
        };
        let parameters = parameters(query);
        let signed = Signed { method: "POST", path: "/apps/3/events", parameters: &parameters, body: body.as_bytes() };
        signed.check(&app, now.map(|now| UNIX_EPOCH + now))
    }

    /// The part of the request that is wrong.
    fn wrong(query: &str, body: &str, now: Duration) -> &'static str {
        check(query, body, Some(now)).unwrap_err().part
    }

    #[test]
    fn signatures_agree_with_the_published_example_whatever_the_order_of_the_parameters() {
        check(QUERY, BODY, Some(SIGNED_AT)).unwrap();
        let mut pairs: Vec<_> = QUERY.split('&').collect();
        pairs.reverse();
        check(&pairs.join("&"), BODY, Some(SIGNED_AT)).unwrap();
        check(&QUERY.replace("auth_key", "Auth_Key").replace("1.0", "1%2E0"), BODY, Some(SIGNED_AT)).unwrap();
    }

    #[test]
    fn a_signature_is_valid_for_600_seconds_either_way_of_the_servers_clock() {
        let seconds = Duration::from_secs;
        check(QUERY, BODY, Some(SIGNED_AT + seconds(600))).unwrap();
        check(QUERY, BODY, Some(SIGNED_AT - seconds(600))).unwrap();
        assert_eq!(wrong(QUERY, BODY, SIGNED_AT + seconds(601)), "auth_timestamp");
        assert_eq!(wrong(QUERY, BODY, SIGNED_AT - seconds(601)), "auth_timestamp");
        check(QUERY, BODY, None).unwrap();
    }

    #[test]
    fn everything_that_is_signed_counts_and_what_is_wrong_is_named() {
        for (part, query) in [
            ("auth_key", QUERY.replace("278d", "378d")),
            ("auth_timestamp", QUERY.replace("1353088179", "soon")),
            ("auth_version", QUERY.replace("1.0", "1.1")),
            ("body_md5", QUERY.replace("ec36", "ec37")),
            ("auth_signature", QUERY.replace("da45", "da46")),
            ("auth_signature", QUERY.replace("1353088179", "1353088180")),
            ("auth_signature", format!("{QUERY}&info=user_count")),
        ] {
            assert_eq!(wrong(&query, BODY, SIGNED_AT), part);
        }
        for missing in ["auth_key", "auth_timestamp", "auth_version", "body_md5", "auth_signature"] {
            let pairs: Vec<_> = QUERY.split('&').filter(|pair| !pair.starts_with(missing)).collect();
            assert_eq!(wrong(&pairs.join("&"), BODY, SIGNED_AT), missing);
        }
        assert_eq!(wrong(QUERY, "{}", SIGNED_AT), "body_md5");
    }

    #[test]
    fn a_failure_says_what_to_sign_and_not_with_what() {
        let failure = check(&QUERY.replace("da45", "da46"), BODY, None).unwrap_err().to_string();
        assert!(
            failure.contains(r#""POST\n/apps/3/events\nauth_key=278d425bdf160c739803&auth_timestamp="#),
            "{failure}"
        );
        assert!(!failure.contains("7ad3773142a6692b25b8"), "{failure}");
    }
}

use channels_proto::SocketId;

use super::*;

const KEY: &str = "278d425bdf160c739803";
const SECRET: &str = "7ad3773142a6692b25b8";
/// `0`, `1`, … 31 as bytes.
const MASTER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn signer() -> Signer {
    Signer::new(AppKey::parse(KEY).unwrap(), Secret::new(SECRET))
}

fn socket() -> SocketId {
    SocketId::parse("1234.1234").unwrap()
}

fn signed(signer: &Signer, channel: &str) -> Result<Authorization, AuthorizationError> {
    signer.sign(&AuthorizationRequest::new(ChannelName::parse(channel).unwrap(), socket()))
}

fn auth(signature: &str) -> String {
    format!("{KEY}:{signature}")
}

/// The worked examples of Pusher's documentation of its protocol, "Authentication signatures".
#[test]
fn signatures_agree_with_the_published_examples() {
    let private = signed(&signer(), "private-foobar").unwrap();
    assert_eq!(private.auth.expose(), auth("58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4"));
    assert_eq!((private.channel_data, private.shared_secret), (None, None));

    let data = r#"{"user_id":10,"user_info":{"name":"Mr. Channels"}}"#;
    let presence = signed(&signer().with_member(move |_| Ok(data.to_owned())), "presence-foobar").unwrap();
    assert_eq!(presence.auth.expose(), auth("31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80"));
    assert_eq!(presence.channel_data.as_deref(), Some(data));

    let user = r#"{"id":"12345"}"#;
    let signed = signer().with_user(|_| Ok(user.to_owned())).sign_user(&AuthenticationRequest::new(socket()));
    let signed = signed.unwrap();
    assert_eq!(signed.auth.expose(), auth("4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba"));
    assert_eq!(signed.user_data, user);
}

// The digest is that of `sha256sum` over the name and the bytes of the master key.
#[test]
fn the_key_of_an_encrypted_channel_comes_from_its_name_and_the_master_key() {
    let signer = signer().with_master_key(&Secret::new(MASTER_KEY)).unwrap();
    let of = |channel| signed(&signer, channel).unwrap();
    let secret = of("private-encrypted-foobar").shared_secret.unwrap();
    assert_eq!(secret.expose(), "g3Au6SZ+UCU+IMfFsFva0rq+Gi4tzSHR6WCcWZbS9sY=");
    assert_ne!(of("private-encrypted-other").shared_secret.unwrap(), secret);
    assert_eq!(of("private-foobar").shared_secret, None);
    for bad in ["", "AAECAw==", "not base64", &MASTER_KEY[1..], &format!("{MASTER_KEY}{MASTER_KEY}")] {
        let signer = Signer::new(AppKey::parse(KEY).unwrap(), Secret::new(SECRET));
        assert_eq!(signer.with_master_key(&Secret::new(bad)).map(|_| ()), Err(MasterKeyError), "{bad}");
    }
}

#[test]
fn the_key_of_an_application_keeps_its_capitals() {
    let signer = Signer::new(AppKey::parse("AppKey").unwrap(), Secret::new(SECRET));
    assert!(signed(&signer, "private-a").unwrap().auth.expose().starts_with("AppKey:"));
}

#[test]
fn a_signer_says_what_it_would_need() {
    for (channel, needed) in [("presence-a", "with_member"), ("private-encrypted-a", "with_master_key")] {
        let error = signed(&signer(), channel).unwrap_err();
        assert!(matches!(error, AuthorizationError::Declined { .. }), "{error:?}");
        assert!(error.to_string().contains(needed), "{error}");
    }
    let error = signer().sign_user(&AuthenticationRequest::new(socket())).unwrap_err();
    assert!(error.to_string().contains("with_user"), "{error}");
    let refusing = signer().with_member(|_| Err(AuthorizationError::denied(403)));
    assert_eq!(signed(&refusing, "presence-a"), Err(AuthorizationError::denied(403)));
}

// Q01
#[test]
fn a_signer_shows_no_secret() {
    let signer = signer().with_master_key(&Secret::new(MASTER_KEY)).unwrap();
    let shown = format!("{signer:?} {:?}", signed(&signer, "private-encrypted-a"));
    assert!(!shown.contains(SECRET) && !shown.contains("AAEC") && shown.contains("***"), "{shown}");
}

use super::*;

fn good() -> VmsPusherConfig {
    VmsPusherConfig {
        base_url: "https://example.com".into(),
        socket_url: "wss://example.com:443/pusher".into(),
        app_key: "key".into(),
        user_token: Secret::new("canary-token"),
        user_id: 42,
        access_token_id: "session-1".into(),
        options: VmsPusherOptions::default(),
    }
}

fn error(change: impl FnOnce(&mut VmsPusherConfig)) -> String {
    let mut config = good();
    change(&mut config);
    let error = config.check().err().expect("the configuration is refused");
    assert!(!format!("{error:?} {error}").contains("canary"), "{error:?}");
    error.to_string()
}

#[test]
fn a_bad_value_is_refused_with_its_field_and_itself() {
    assert_eq!(error(|c| c.socket_url = String::new()), "socket_url: the URL is empty");
    for url in ["https://example.com/pusher", "/pusher", "example.com", "wss://", "wss://a:b/"] {
        let error = error(|c| c.socket_url = url.into());
        assert!(error.starts_with("socket_url: ") && error.contains(url), "{error}");
    }
    for url in ["wss://example.com", "example.com", "https://", "file:///etc/passwd", "https://exa mple.com"] {
        let error = error(|c| c.base_url = url.into());
        assert!(error.starts_with("base_url: ") && error.contains(url), "{error}");
    }
    assert_eq!(error(|c| c.base_url = String::new()), "base_url: the URL is empty");
    assert_eq!(error(|c| c.app_key = String::new()), "app_key: the app key is empty");
    assert!(error(|c| c.app_key = "a/b".into()).contains("`a/b`"));
    assert_eq!(error(|c| c.user_id = -1), "user_id: -1 is negative");
    assert_eq!(error(|c| c.access_token_id = String::new()), "access_token_id: the id is empty");
    assert!(error(|c| c.access_token_id = "a b".into()).contains("a b"));
    assert!(error(|c| c.access_token_id = "x".repeat(200)).contains("at most"));
}

#[test]
fn an_option_out_of_its_range_is_named_with_its_value() {
    assert_eq!(
        error(|c| c.options.max_message_bytes = 1023),
        "options.max_message_bytes: 1023 is not between 1024 and 1073741824"
    );
    for timeout in [Duration::ZERO, Duration::MAX] {
        let first = error(|c| c.options.connect_timeout = timeout);
        assert!(first.starts_with("options.connect_timeout: "), "{first}");
        let longest = error(|c| c.options.max_connect_timeout = timeout);
        assert!(longest.starts_with("options.max_connect_timeout: "), "{longest}");
    }
    let (millisecond, day) = (Duration::from_millis(1), Duration::from_secs(86_400));
    for (time, bytes) in [(millisecond, 1024), (day, 1024 * 1024 * 1024)] {
        let mut outermost = good();
        let options = &mut outermost.options;
        (options.activity_timeout, options.pong_timeout) = (time, time);
        (options.connect_timeout, options.max_connect_timeout) = (time, time);
        options.max_message_bytes = bytes;
        assert!(outermost.check().is_ok());
    }
}

// H05, Q01: a token that would break a header is refused, and never shown
#[test]
fn a_bad_token_is_refused_without_being_shown() {
    assert_eq!(error(|c| c.user_token = Secret::new("")), "user_token: the token is empty");
    for token in ["canary\r\nX-Evil: 1", "canary é", "canary token", "canary\0"] {
        assert!(error(|c| c.user_token = Secret::new(token)).starts_with("user_token: the token contains"));
    }
}

// H03
#[test]
fn an_unencrypted_socket_beside_an_encrypted_api_needs_an_option() {
    let refused = error(|c| c.socket_url = "ws://example.com:6001/pusher".into());
    assert!(refused.contains("ws://example.com:6001/pusher") && refused.contains("allow_insecure_socket"), "{refused}");
    let mut config = good();
    config.socket_url = "ws://example.com:6001/pusher".into();
    config.options.allow_insecure_socket = true;
    assert!(config.check().is_ok());
    let mut plain = good();
    plain.base_url = "http://example.com".into();
    plain.socket_url = "ws://example.com".into();
    assert!(plain.check().is_ok());
}

#[test]
fn other_spellings_of_the_addresses_work() {
    let spellings = [
        ("https://example.com/", "wss://example.com/pusher/"),
        ("HTTPS://Example.com", "WSS://Example.com:443"),
        ("https://[::1]:8443/vms/", "wss://[::1]/"),
        ("http://10.0.0.7:8080", "ws://10.0.0.7:6001/pusher"),
        ("https://vms.example.com", "wss://ws.example.org"),
    ];
    for (base_url, socket_url) in spellings {
        let config = VmsPusherConfig { base_url: base_url.into(), socket_url: socket_url.into(), ..good() };
        assert!(config.check().is_ok(), "{base_url} {socket_url}");
    }
}

#[test]
fn the_channels_are_those_of_the_session_and_the_user() {
    let checked = good().check().unwrap();
    assert_eq!(checked.channels.token.as_str(), "private-token.session-1");
    assert_eq!(checked.channels.user.as_str(), "private-user.42");
}

// I38, Q03
#[test]
fn debug_output_shows_neither_token_nor_ids() {
    let mut config = good();
    config.user_id = 777_777;
    config.access_token_id = "canary-session".into();
    let shown = format!("{config:?}");
    assert!(shown.contains("wss://example.com") && !shown.contains("canary") && !shown.contains("777777"), "{shown}");
}

// Q01, Q02: a configuration is printed with its addresses, which somebody may have put a password into.
#[test]
fn debug_output_shows_no_password_in_an_address() {
    let mut config = good();
    config.base_url = "https://anna:canary/canary@example.com".into();
    config.socket_url = "wss://anna:canary#canary@example.com/pusher".into();
    let shown = format!("{config:?}");
    assert!(shown.contains("wss://***@example.com/pusher") && !shown.contains("canary"), "{shown}");
    for url in ["wss://https://anna:canary@example.com/", "wss://anna:can/ary@x:1", "wss://anna:canary"] {
        let mut config = good();
        config.socket_url = url.into();
        assert!(config.check().is_err(), "{url}");
    }
    assert!(error(|c| c.socket_url = "wss://https://anna:canary@example.com/".into()).contains("two addresses"));
    assert!(error(|c| c.base_url = "https://anna:canary/x@example.com".into()).contains("https://***@example.com"));
}

// Q02, Q03: a decoder takes any text for the address of its server.
#[test]
fn debug_output_of_a_decoder_shows_no_password_in_its_address() {
    let shown = format!("{:?}", crate::VmsDecoder::new("https://anna:canary/canary@example.com/vms"));
    assert!(shown.contains("https://***@example.com/vms") && !shown.contains("canary"), "{shown}");
}

#[test]
fn a_text_that_cannot_stand_in_a_header_is_refused() {
    let client = VmsClientInfo { name: "a\nb".into(), ..VmsClientInfo::default() };
    let error = client.headers().unwrap_err().to_string();
    assert!(error.starts_with("options.client.name: ") && error.contains(r"a\nb"), "{error}");
}

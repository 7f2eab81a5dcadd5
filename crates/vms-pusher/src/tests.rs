use fastrand::Rng;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use crate::sample::Sample;
use crate::*;

fn reads_back<T: Sample + Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>() {
    let mut random = Rng::with_seed(7);
    for _ in 0..300 {
        let value = T::sample(&mut random);
        let line = serde_json::to_string(&value).unwrap();
        assert_eq!(serde_json::from_str::<T>(&line).unwrap(), value, "{line}");
    }
}

#[test]
fn every_model_reads_back_as_it_was_written() {
    reads_back::<VmsEvent>();
    reads_back::<VmsCamera>();
    reads_back::<VmsCameraGroup>();
    reads_back::<VmsUser>();
    reads_back::<VmsIntercom>();
    reads_back::<VmsIntercomCode>();
    reads_back::<VmsIntercomCall>();
    reads_back::<VmsCanceledCall>();
    reads_back::<VmsCamerasUpdateSocket>();
    reads_back::<VmsFavoriteCamerasUpdateSocket>();
    reads_back::<VmsArchiveLinkSocket>();
    reads_back::<VmsIntercomDeleteSocket>();
    reads_back::<VmsIntercomErrorSocket>();
    reads_back::<VmsIntercomKeyConfirmedSocket>();
    reads_back::<VmsCallCanceledSocket>();
    reads_back::<VmsUnknownSocket>();
    reads_back::<VmsUndecodableSocket>();
    reads_back::<VmsAppSocketType>();
    reads_back::<VmsIntercomPushType>();
    reads_back::<VmsPushStatus>();
}

#[test]
fn an_intercom_in_a_notification_arrives_as_it_was_sent_wherever_the_type_stands() {
    let mut random = Rng::with_seed(11);
    let decoder = VmsDecoder::new("https://example.com");
    for round in 0..300 {
        let intercom = VmsIntercom::sample(&mut random);
        let body = serde_json::to_string(&intercom).unwrap();
        let payload = if round % 2 == 0 {
            format!(r#"{{"type":"intercom.store","intercom":{body}}}"#)
        } else {
            format!(r#"{{"intercom":{body},"id":"x","type":"intercom.store"}}"#)
        };
        let expected = VmsIntercomSocketData::IntercomStored(Some(Box::new(intercom)));
        assert_eq!(decoder.decode(BROADCAST_NOTIFICATION, "c", &payload), VmsSocketData::IntercomSocket(expected));
    }
}

#[test]
fn an_event_in_a_push_arrives_as_it_was_sent_wherever_the_type_stands() {
    let mut random = Rng::with_seed(13);
    let decoder = VmsDecoder::new("https://example.com");
    for round in 0..300 {
        let event = VmsEvent::sample(&mut random);
        let body = serde_json::to_string(&event).unwrap();
        let payload = if round % 2 == 0 {
            format!(r#"{{"data":{{"type":"mark_updated","status":"ok","data":{body}}}}}"#)
        } else {
            format!(r#"{{"data":{{"data":{body},"type":"mark_updated"}}}}"#)
        };
        let mut expected = Box::new(event);
        expected.complete("https://example.com");
        let expected = VmsAppSocketData::EventUpdated(expected);
        assert_eq!(decoder.decode(USER_PUSH, "c", &payload), VmsSocketData::AppSocket(expected));
    }
}

// M03: nesting neither overflows the stack nor costs the event
#[test]
fn deep_nesting_in_a_payload_is_harmless() {
    let decoder = VmsDecoder::new("https://example.com");
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        for payload in [
            format!(r#"{{"data":{{"type":"mark_created","data":{{"id":1,"extra":{deep}}}}}}}"#),
            format!(r#"{{"data":{{"data":{{"id":1,"title":{deep}}},"type":"mark_created"}}}}"#),
            format!(r#"{{"data":{{"type":"mark_created","data":{{"camera":{deep},"id":1}}}}}}"#),
        ] {
            match decoder.decode(USER_PUSH, "c", &payload) {
                VmsSocketData::AppSocket(VmsAppSocketData::EventCreated(event)) => assert_eq!(event.id, 1),
                other @ (VmsSocketData::AppSocket(_) | VmsSocketData::IntercomSocket(_)) => panic!("{other:?}"),
            }
        }
        assert!(matches!(
            decoder.decode(USER_PUSH, "c", &deep),
            VmsSocketData::AppSocket(VmsAppSocketData::Undecodable(_))
        ));
    }
}

// I40, M01: no text makes the decoder panic, whatever is cut, doubled or replaced in it
#[test]
fn a_mutilated_payload_never_panics() {
    let decoder = VmsDecoder::new("https://example.com");
    let mut random = Rng::with_seed(17);
    let event = serde_json::to_string(&VmsEvent::sample(&mut random)).unwrap();
    let seeds = [
        format!(r#"{{"data":{{"type":"mark_created","status":"ok","data":{event}}},"subject":null}}"#),
        format!(r#"{{"type":"analytic_case_face_event_created","event":{event}}}"#),
        r#"{"data":{"type":"groups_deleted","data":{"ids":[1,"2",1e400,"\ud800"]}}}"#.to_owned(),
    ];
    let bits = ["\"", "\\", "{", "}", "[", "]", ":", ",", "1e999", "-", "\\ud800", "null", "\u{0}", "é", "type"];
    for _ in 0..20_000 {
        let mut text: Vec<char> = random.choice(&seeds).unwrap().chars().collect();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..=text.len());
            let to = (at + random.usize(..6)).min(text.len());
            let bit = random.choice(bits).unwrap_or_default();
            text.splice(at..to, bit.chars());
        }
        let text: String = text.into_iter().collect();
        for event in [USER_PUSH, BROADCAST_NOTIFICATION] {
            let push = decoder.decode(event, "c", &text);
            let line = serde_json::to_string(&push).unwrap();
            assert_eq!(serde_json::from_str::<VmsSocketData>(&line).unwrap(), push);
        }
    }
}

#[test]
fn a_push_is_written_with_item_type_and_data() {
    let push = VmsSocketData::AppSocket(VmsAppSocketData::Logout(Some("bye".into())));
    assert_eq!(serde_json::to_value(&push).unwrap(), json!({"item": "app_socket", "type": "logout", "data": "bye"}));
    let push = VmsSocketData::AppSocket(VmsAppSocketData::PermissionsUpdate);
    assert_eq!(serde_json::to_value(&push).unwrap(), json!({"item": "app_socket", "type": "permissions_update"}));
}

#[test]
fn the_link_of_an_archive_is_found_in_either_place() {
    let new: VmsArchiveLinkSocket = serde_json::from_value(json!({"url": "a", "download": {"url": "b"}})).unwrap();
    let old: VmsArchiveLinkSocket = serde_json::from_value(json!({"url": "a", "download": {"url": null}})).unwrap();
    let none = VmsArchiveLinkSocket::default();
    assert_eq!((new.link(), old.link(), none.link()), (Some("b"), Some("a"), None));
}

#[test]
fn a_model_without_what_identifies_it_is_an_error_that_names_the_member() {
    let error = serde_json::from_str::<VmsCamera>(r#"{"name": "x"}"#).unwrap_err();
    assert!(error.to_string().starts_with("`id` is missing"), "{error}");
    let error = serde_json::from_str::<VmsCamera>("[1]").unwrap_err();
    assert!(error.to_string().starts_with("the value is not an object"), "{error}");
}

/// A push waits in a queue of a thousand: it must stay small, whatever the models grow to.
#[test]
fn a_push_is_small() {
    assert!(size_of::<VmsSocketData>() <= 64, "{}", size_of::<VmsSocketData>());
}

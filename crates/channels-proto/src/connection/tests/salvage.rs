//! Messages that are not valid JSON, of which event and channel can be read: they are delivered as what they are.

use super::*;
use crate::{FrameError, JsonError};
use ConnectionState::Connected;

/// What becomes of one message.
#[derive(Debug, PartialEq)]
enum Fate {
    /// Event, channel, and the text for its data.
    Delivered(String, String, String),
    Unreadable,
}

fn fate_in(world: &mut World, text: &str) -> Fate {
    world.text(text);
    let fate = world.take_event().map(|event| {
        assert!(matches!(event.defect(), Some(FrameError::Json(_))), "{text}: {:?}", event.defect());
        let data = event.data();
        assert_eq!((data.payload(), data.quoted()), (Err(JsonError::Part), None), "{text}");
        assert_eq!(event.to_owned_event().as_event(), event);
        Fate::Delivered(event.name().to_owned(), event.channel().to_string(), data.raw().to_owned())
    });
    let reports = world.reports();
    let Some(fate) = fate else {
        assert!(matches!(&reports[..], [Report::Unreadable { lost: 1, .. }]), "{text}: {reports:?}");
        return Fate::Unreadable;
    };
    assert_eq!(reports, [], "{text}");
    fate
}

fn fate(text: &str) -> Fate {
    let mut world = World::subscribed(&["c"]);
    let fate = fate_in(&mut world, text);
    assert_eq!(world.connection.state(), Connected, "{text}");
    fate
}

fn delivered(data: &str) -> Fate {
    Fate::Delivered("e".to_owned(), "c".to_owned(), data.to_owned())
}

// M01, M05, M06, I26
#[test]
fn a_message_that_is_not_valid_json_is_delivered_when_its_event_and_channel_can_be_read() {
    let cases = [
        (r#"{"event":"e","channel":"c","data":{"a":NaN}}"#, r#"{"a":NaN}"#),
        (r#"{"data":{"a":[1,-Infinity,undefined]},"channel":"c","event":"e"}"#, r#"{"a":[1,-Infinity,undefined]}"#),
        (r#"{"data":NaN,"event":"e","channel":"c"}"#, "NaN"),
        (r#"{"data":{"a":01,"b":.5,"c":+1,"d":1.},"event":"e","channel":"c"}"#, r#"{"a":01,"b":.5,"c":+1,"d":1.}"#),
        (r#"{"event":"e","channel":"c","data":"{}",}"#, r#""{}""#),
        (r#"{,"event":"e",,"data":{"a":[1,],},"channel":"c"}"#, r#"{"a":[1,],}"#),
        (r#"{"user_id":,"event":"e","channel":"c","data":}"#, ""),
        ("{\"data\":\"{\\\"a\\\":\\\"b\nc\\\"}\",\"event\":\"e\",\"channel\":\"c\"}", "\"{\\\"a\\\":\\\"b\nc\\\"}\""),
        ("{\"event\":\"e\",\"channel\":\"c\",\"data\":\"{}\"}\0", "\"{}\""),
        ("\u{feff}{\"event\":\"e\",\"channel\":\"c\",\"data\":\"{}\"}", "\"{}\""),
        (r#"{"data":"C:\path \u12","event":"e","channel":"c"}"#, r#""C:\path \u12""#),
        (r#"{"\ud800":1,"event":"e","channel":"c","data":"x"}"#, r#""x""#),
        // Nobody knows where the data ends, or where it begins.
        (r#"{"event":"e","channel":"c","data":"he said "no"","x":1}"#, r#""he said "no"","x":1}"#),
        (r#"{"event":"e","channel":"c","data":'{"a":1}'}"#, r#"'{"a":1}'}"#),
        (r#"{"event":"e","channel":"c",data:{"a":1}}"#, r#"data:{"a":1}}"#),
        (r#"{"event":"e","channel":"c","data":{"a":[1}}"#, r#"{"a":[1}}"#),
        (
            r#"{"event":"e","channel":"c","data":"{}"}{"event":"f","channel":"d"}"#,
            r#""{}"}{"event":"f","channel":"d"}"#,
        ),
        (r#"{"event":"e","channel":"c","data":"{}"}}"#, r#""{}"}}"#),
        (r#"{"event":"e","channel":"c","data":"{\"a\":1"#, r#""{\"a\":1"#),
        (r#"{"event":"e","channel":"c","data":"{\""#, r#""{\""#),
        (r#"{"event":"e","channel":"c","#, ""),
        // The same twice is still certain.
        (r#"{"event":"e","channel":"c","channel":"c","data":NaN,"event":"e"}"#, "NaN"),
    ];
    for (text, data) in cases {
        assert_eq!(fate(text), delivered(data), "{text}");
    }
    let escaped = fate(r#"{"event":"App\\Events\\TokenPush","channel":"c","data":NaN}"#);
    assert_eq!(escaped, Fate::Delivered(r"App\Events\TokenPush".to_owned(), "c".to_owned(), "NaN".to_owned()));
}

// M01, M06, I26
#[test]
fn what_cannot_be_attributed_with_certainty_is_announced_as_unreadable() {
    let cases = [
        r#"[{"event":"e","channel":"c","data":NaN}]"#,
        r#"x{"event":"e","channel":"c","data":NaN}"#,
        r#"{"event":"e","data":NaN}"#,
        r#"{"channel":"c","data":NaN}"#,
        r#"{"event":"e","channel":"c"#,
        r#"{"event":"e","channel":c"}"#,
        r#"{"event":"e","channel":"c" d","data":1}"#,
        r#"{"event":"e","data":"he said "no"","channel":"c"}"#,
        r#"{"event":"e","data":'{}',"channel":"c"}"#,
        r#"{"event":"e","data":{"a":[1},"channel":"c"}"#,
        r#"{"event":"e","data":{"a":1}},"channel":"c"}"#,
        r#"{"data":{"a":1,"event":"e","channel":"c"}"#,
        r#"{"event":"e","channel":NaN}"#,
        r#"{"event":NaN,"channel":"c"}"#,
        r#"{"event":"e","channel":["c",]}"#,
        r#"{"event":"\ud800","channel":"c"}"#,
        "{\"event\":\"e\u{1}\",\"channel\":\"c\"}",
        r#"{"event":"\e","channel":"c"}"#,
        r#"{"event":"e","channel":"c","data":NaN,"channel":"d"}"#,
        r#"{"event":"e","channel":"c","data":NaN,"event":"f"}"#,
        r#"{"event":"e","channel":"c","data":NaN,"event":"f"#,
        r#"{"event" "e","channel":"c","data":1}"#,
        r#"{"event":"e" "channel":"c","data":1}"#,
        r#"{'event':'e','channel':'c'}"#,
        r#"{"event":"e","data":,"channel":"c"},"channel":"d"}"#,
        r#"{"data":NaN,"event":"e","channel":"c""#,
        r#"{"data":NaN,"event":"e","channel":"c"}}"#,
    ];
    for text in cases {
        assert_eq!(fate(text), Fate::Unreadable, "{text}");
    }
}

// M01, I40: every text frame that was cut off, at every place
#[test]
fn a_message_that_was_cut_off_is_delivered_from_where_its_event_and_channel_are_whole() {
    let frames = [
        r#"{"event":"e","channel":"c","data":"{\"a\":[1,2.5e-3,null],\"b\":\"\\\"é\"}"}"#,
        r#"{"channel":"c","user_id":"7","event":"e","data":{"a":[{"b":"]"},-1]}}"#,
        r#"{"data":"{\"event\":\"x\",\"channel\":\"y\"}","event":"e" , "channel" : "c" }"#,
        r#"{"data":{"event":"x","channel":"y"},"channel":"c","event":"e"}"#,
    ];
    for frame in frames {
        let end = |member: &str| frame.rfind(member).unwrap() + member.len();
        let event = frame.match_indices(r#""event":"e""#).next().unwrap().0 + r#""event":"e""#.len();
        let known =
            event.max(if frame.contains(r#""channel":"c""#) { end(r#""channel":"c""#) } else { end(r#": "c""#) });
        for cut in (0..frame.len()).filter(|&cut| frame.is_char_boundary(cut)) {
            let text = &frame[..cut];
            match fate(text) {
                Fate::Unreadable => assert!(cut < known, "{text}"),
                Fate::Delivered(event, channel, data) => {
                    assert!(cut >= known, "{text}");
                    assert_eq!((event.as_str(), channel.as_str()), ("e", "c"), "{text}");
                    assert!(text.contains(&data), "{text}: {data}");
                }
            }
        }
    }
}

// P10, I11: an action is taken on a message that is valid, and on no other
#[test]
fn a_message_of_the_protocol_that_is_not_valid_json_does_nothing() {
    let messages = [
        r#"{"event":"pusher:error","data":{"code":4001,"message":"x"}}"#,
        r#"{"event":"pusher:error","channel":"d","data":{"code":4001,"message":"x"}}"#,
        r#"{"event":"pusher:ping","channel":"c","data":{}}"#,
        r#"{"event":"pusher:connection_established","channel":"c","data":"{\"socket_id\":\"3.4\"}"}"#,
        r#"{"event":"pusher_internal:subscription_succeeded","channel":"d","data":{}}"#,
        r#"{"event":"pusher:subscription_error","channel":"c","data":{"status":403}}"#,
    ];
    for message in messages {
        let cuts = (0..message.len()).map(|cut| message[..cut].to_owned());
        let spoiled = ["NaN", "{},", "\"\n\""]
            .map(|value| message.replacen("\"data\":", &format!("\"x\":{value},,\"data\":"), 1));
        for text in cuts.chain(spoiled) {
            let mut world = World::subscribed(&["c"]);
            world.subscribe("d");
            world.take();
            assert_eq!(fate_in(&mut world, &text), Fate::Unreadable, "{text}");
            assert_eq!(world.connection.state(), Connected, "{text}");
        }
    }
}

// M10, S13: whoever does not listen to the channel gets nothing, and before the acknowledgement it waits like any other
#[test]
fn a_salvaged_event_goes_the_way_of_every_event() {
    let mut world = World::connected();
    world.subscribe("c");
    world.text(r#"{"event":"e","channel":"c","data":NaN}"#);
    world.text(r#"{"event":"e","channel":"other","data":NaN}"#);
    assert_eq!((&world.events[..], world.connection.counters().unexpected_events), (&[][..], 1));
    world.take();
    world.acknowledge("c");
    let event = world.take_event().expect("the event that was kept");
    let part = Err(JsonError::Part);
    assert_eq!((event.data().raw(), event.data().payload(), event.defect().is_some()), ("NaN", part, true));
    assert_eq!(world.connection.counters().malformed_frames, 0);

    let mut opening = World::new();
    opening.subscribe("c");
    opening.command(Connection::connect);
    let epoch = opening.epoch();
    opening.command(|connection, now| connection.handle_opened(now, epoch));
    opening.take();
    opening.text(r#"{"event":"e","channel":"c","data":NaN}"#);
    assert_eq!((opening.take(), opening.connection.counters().malformed_frames), (vec![], 1));
    assert_eq!(opening.events, Vec::<String>::new());
}

// M03, Y01: in one pass, whatever the text is
#[test]
fn a_message_made_to_be_read_slowly_is_read_in_one_pass() {
    let megabyte = 1024 * 1024;
    let head = r#"{"event":"e","channel":"c","data":"#;
    for atom in ["[", "{\"a\":", "[1,", "\\\"", "\"a\",", "{}", ",", ":", "]", "\"\\", "é", "NaN ", "\n", "\"data\":1,"]
    {
        let text = format!("{head}{}", atom.repeat((megabyte - head.len()) / atom.len()));
        let Fate::Delivered(event, channel, _) = fate(&text) else { panic!("{atom}") };
        assert_eq!((event.as_str(), channel.as_str()), ("e", "c"), "{atom}");
        let text = format!("{{{}", atom.repeat((megabyte - 1) / atom.len()));
        assert_eq!(fate(&text), Fate::Unreadable, "{atom}");
    }
}

//! What can be recovered from a frame that is not a valid message.

use super::Envelope;
use crate::{
    Data, FrameError, JsonError, Limits,
    event::Extras,
    event_name::EventNames,
    json::{LooseMember, LooseMembers, Members, Value},
};

impl<'t> Envelope<'t> {
    /// Reads what is certain of a frame that was refused for `error`; none when that is not an event of a channel.
    pub(crate) fn salvage(text: &'t str, error: &FrameError, limits: &Limits) -> Option<Self> {
        match error {
            FrameError::EventNameTooLong { .. } => {
                let members = Members::of(text, limits.max_depth).ok()?;
                Self::read(members, usize::MAX, &mut EventNames::default()).ok()
            }
            FrameError::Json(JsonError::Syntax { offset } | JsonError::TooDeep { offset, .. }) => {
                Self::read_loosely(text, *offset)
            }
            FrameError::Json(JsonError::LoneSurrogate | JsonError::Part) => Self::read_loosely(text, text.len()),
            FrameError::TooLong { .. } | FrameError::NoEvent | FrameError::BadChannel | FrameError::Binary => None,
        }
    }

    /// Reads a frame whose first fault is at `fault`. Event and channel have to be valid strings and to say the same wherever
    /// they stand. What stands before the fault is certain; behind it a member may have got to its place by a bracket
    /// that is missing, so the rest of the frame has to agree with it.
    fn read_loosely(text: &'t str, fault: usize) -> Option<Self> {
        let mut members = LooseMembers::of(text);
        let (mut event, mut channel, mut user_id, mut data) = (None, None, None, None);
        let mut certain = true;
        while let Some(member) = members.next_member() {
            let LooseMember { key, value, tail } = member;
            let is_before = text.len() - tail.len() + value.len() <= fault;
            let names = match Value::alone(key).and_then(Value::string).and_then(Result::ok).as_deref() {
                Some("event") => &mut event,
                Some("channel") => &mut channel,
                Some("data") => {
                    data = Some(member);
                    continue;
                }
                Some("user_id") => {
                    user_id = Value::alone(value);
                    continue;
                }
                Some(_) | None => continue,
            };
            match *names {
                Some(known) if known != value => return None,
                Some(_) => {}
                None => {
                    *names = Some(value);
                    certain &= is_before;
                }
            }
        }
        if !certain && !members.is_whole() {
            return None;
        }
        let rest = members.rest();
        let data = match data {
            Some(LooseMember { value, .. }) if rest.is_empty() => value,
            Some(LooseMember { tail, .. }) => tail,
            None => rest,
        };
        Some(Self {
            event: EventNames::default().read(Value::alone(event?)?)?.ok()?,
            channel: Some(Value::alone(channel?)?.string()?.ok()?),
            data: Data::part(data),
            extras: user_id.and_then(Extras::of_user),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault_of(text: &str) -> usize {
        match Envelope::parse(text, &Limits::default(), &mut EventNames::default()) {
            Err(FrameError::Json(JsonError::Syntax { offset })) => offset,
            Ok(_) | Err(_) => text.len(),
        }
    }

    fn loosely(text: &str) -> Option<Envelope<'_>> {
        Envelope::read_loosely(text, fault_of(text))
    }

    /// Values whose faults could be taken for the end of something.
    const VALUES: [&str; 18] = [
        "1",
        "-0.5e3",
        "null",
        "true",
        "\"\"",
        "\"a\"",
        r#""{\"event\":\"x\",\"channel\":\"y\"}""#,
        r#""\\""#,
        r#""a\\\",\"channel\":\"y""#,
        r#""}],{[:,""#,
        r#""é😀\ud83d\ude00""#,
        r#"{"channel":"y"}"#,
        r#"{"a":{"event":"x"}}"#,
        "[]",
        "{}",
        r#"[1, {"event": "x"}, [[], "]"]]"#,
        r#"{"channel":"y","event":["x"],"n":{"a":-1,"b":[]}}"#,
        r#"{ "a" : [ { } , { "b" : "c\n" } ] }"#,
    ];

    /// A frame for `e` on `c`, and where everything but these two members stands in it.
    fn frame(rng: &mut fastrand::Rng) -> (String, Vec<std::ops::Range<usize>>) {
        let mut members = vec![r#""event":"e""#.to_owned(), r#""channel":"c""#.to_owned()];
        for key in ["data", "user_id", "x", ""] {
            if rng.u8(..) > 80 {
                members.push(format!(r#""{key}":{}"#, VALUES[rng.usize(0..VALUES.len())]));
            }
        }
        rng.shuffle(&mut members);
        let (mut text, mut others) = ("{".to_owned(), vec![]);
        for (place, member) in members.iter().enumerate() {
            if place > 0 {
                text.push_str([",", ", ", "\n,"][rng.usize(0..3)]);
            }
            let start = text.len();
            text.push_str(member);
            if !member.starts_with("\"event\"") && !member.starts_with("\"channel\"") {
                others.push(start..text.len());
            }
        }
        text.push('}');
        (text, others)
    }

    // M01, M04
    #[test]
    fn a_valid_frame_says_the_same_when_it_is_read_loosely() {
        let mut rng = crate::backoff::seeded(21);
        for _ in 0..5_000 {
            let (text, _) = frame(&mut rng);
            let strict = Envelope::parse(&text, &Limits::default(), &mut EventNames::default()).unwrap();
            let loose = loosely(&text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(
                (&loose.event, &loose.channel, loose.user_id()),
                (&strict.event, &strict.channel, strict.user_id())
            );
            assert_eq!(loose.data.raw(), strict.data.raw(), "{text}");
        }
    }

    // M01, I24: what is not sure is not guessed
    #[test]
    fn a_fault_in_another_member_never_makes_another_event_of_a_frame() {
        let mut rng = crate::backoff::seeded(22);
        let faults = [b'"', b'\\', b',', b':', b'{', b'}', b'[', b']', b' ', b'\n', 0, b'x', b'-'];
        let mut had = 0;
        for round in 0..40_000 {
            let (text, others) = frame(&mut rng);
            let Some(range) = rng.choice(others) else { continue };
            let (at, fault) = (rng.usize(range), faults[rng.usize(0..faults.len())]);
            let mut bytes = text.clone().into_bytes();
            match round % 3 {
                0 => bytes[at] = fault,
                1 => bytes.insert(at, fault),
                _ => drop(bytes.remove(at)),
            }
            let Ok(spoiled) = String::from_utf8(bytes) else { continue };
            if Envelope::parse(&spoiled, &Limits::default(), &mut EventNames::default()).is_ok() {
                continue;
            }
            if let Some(envelope) = loosely(&spoiled) {
                assert_eq!((&*envelope.event, envelope.channel.as_deref()), ("e", Some("c")), "{text}\n{spoiled}");
                had += 1;
            }
        }
        assert!(had > 10_000, "{had}");
    }
}

#![cfg(unix)]

use std::hint::black_box;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::VmsDecoder;
use crate::USER_PUSH;

/// Makes a payload of so many parts.
type Shape = fn(usize) -> String;

/// Payloads, each by a way of its own through the decoder.
const SHAPES: [(&str, Shape); 9] = [
    ("a list that is kept", |n| push(&format!(r#""ids":[{}]"#, many("1", n)))),
    ("a list that nobody reads", |n| push(&format!(r#""ids":[],"junk":[{}]"#, many("1", n)))),
    ("objects that nobody reads", |n| push(&format!(r#""ids":[],"junk":[{}]"#, many(r#"{"a":[]}"#, n)))),
    ("members that nobody knows", |n| push(&format!(r#"{},"ids":[]"#, many(r#""junk":1"#, n)))),
    ("a member that comes again and again", |n| push(&many(r#""ids":[1]"#, n))),
    ("the type behind the data", |n| {
        format!(r#"{{"data":{{"data":{{"ids":[{}]}},"type":"groups_deleted"}}}}"#, many("1", n))
    }),
    ("the data again and again before the type", |n| {
        format!(r#"{{"data":{{{},"type":"groups_deleted"}}}}"#, many(r#""data":{"ids":[1]}"#, n))
    }),
    ("numbers that have to be repaired", |n| push(&format!(r#""ids":[],"junk":[{}]"#, many("1e999", n)))),
    ("text that breaks off", |n| format!(r#"{{"data":{{"type":"groups_deleted","data":{{"ids":[{}"#, many("1", n))),
];

// M17: sixteen times the values take about sixteen times the work, and not the square of it. It is the processor's time that
// counts, of this thread alone: it does not grow when other programs run beside it.
#[test]
fn the_work_for_a_payload_grows_no_faster_than_its_length() {
    for (shape, payload) in SHAPES {
        for (way, decode) in [("as text", as_text as fn(&str)), ("as it is quoted in a frame", as_quoted)] {
            let [few, many] = [FEW, FEW * TIMES as usize].map(|n| work(&payload(n), decode));

            assert!(many < few * TIMES * TOLERANCE, "{shape}, {way}: {few:?} for {FEW}, then {many:?}");
        }
    }
}

/// Enough to be measured by the clock of the processor.
const FEW: usize = 5_000;
const TIMES: u32 = 16;
/// Long lists outgrow the caches; the square would be `TIMES` times too much.
const TOLERANCE: u32 = 4;

/// The least processor time of a few runs.
fn work(text: &str, decode: fn(&str)) -> Duration {
    let runs = (0..5).map(|_| {
        let before = processor_time();
        decode(text);
        processor_time() - before
    });
    runs.min().unwrap()
}

fn as_text(payload: &str) {
    black_box(VmsDecoder::new("https://example.com").decode(USER_PUSH, "c", payload));
}

fn as_quoted(payload: &str) {
    let content = payload.replace('"', "\\\"");
    black_box(VmsDecoder::new("https://example.com").decode_quoted(USER_PUSH, "c", &content));
}

fn processor_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap()
}

fn push(members: &str) -> String {
    format!(r#"{{"data":{{"type":"groups_deleted","data":{{{members}}}}}}}"#)
}

fn many(part: &str, n: usize) -> String {
    vec![part; n].join(",")
}

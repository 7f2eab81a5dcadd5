use std::hint::black_box;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use channels_proto::{
    AppKey, Authorization, ChannelName, ConnectFailure, ConnectFailureKind, Connection, Epoch, FailureClass, Options,
    Output, Time,
};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use vms_pusher::VmsDecoder;

use crate::workload::{Payload, USER_CHANNEL};

/// Returns the names of all cases.
///
/// # Errors
/// When the fixtures of the events cannot be read.
pub fn names() -> Result<Vec<String>> {
    let mut names: Vec<String> = PAYLOADS.iter().map(|payload| format!("envelope/{payload}")).collect();
    names.extend(["back-off", "delivery"].map(str::to_owned));
    names.extend(decode_cases()?);
    Ok(names)
}

/// Runs a case so many times.
///
/// # Errors
/// When there is no such case.
pub fn run(case: &str, times: u64) -> Result<()> {
    match case.split_once('/') {
        None if case == "back-off" => back_off(times),
        None if case == "delivery" => super::delivery::run(times),
        Some(("envelope", name)) => envelope(name, times),
        Some(("decode", _)) => decode(case, times),
        _ => bail!("there is no case {case}"),
    }
}

/// From the text of a frame to an event that is to be delivered.
fn envelope(name: &str, times: u64) -> Result<()> {
    let payload = PAYLOADS.into_iter().find(|payload| payload.to_string() == name).context("no such payload")?;
    let text = payload.texts(USER_CHANNEL).pop().context("it has a text")?;
    let (mut connection, epoch) = subscribed()?;
    let is_delivered = matches!(connection.handle_text(NOW, epoch, &text).next(), Some(Output::Event(_)));
    ensure!(is_delivered, "the event is delivered");
    for _ in 0..times {
        let mut outputs = connection.handle_text(NOW, epoch, black_box(&text));
        for output in &mut outputs {
            black_box(output);
        }
    }
    Ok(())
}

/// A connection whose user channel is subscribed.
fn subscribed() -> Result<(Connection, Epoch)> {
    let mut connection = Connection::new(Options::new(AppKey::parse("bench-key")?), 1);
    connection.subscribe(NOW, ChannelName::parse(USER_CHANNEL)?)?.for_each(drop);
    connection.connect(NOW).for_each(drop);
    let epoch = connection.epoch().context("a socket is opened")?;
    connection.handle_opened(NOW, epoch).for_each(drop);
    let greeting =
        r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.1\",\"activity_timeout\":120}"}"#;
    let authorization = |output| if let Output::Authorize { id, .. } = output { Some(id) } else { None };
    let authorize = connection.handle_text(NOW, epoch, greeting).find_map(authorization);
    let authorization = Authorization::new("bench-key:5555");
    let id = authorize.context("the channel is authorized")?;
    connection.handle_authorization(NOW, id, Ok(authorization)).for_each(drop);
    let acknowledgement =
        format!(r#"{{"event":"pusher_internal:subscription_succeeded","channel":"{USER_CHANNEL}","data":"{{}}"}}"#);
    connection.handle_text(NOW, epoch, &acknowledgement).for_each(drop);
    ensure!(connection.is_settled(), "the channel is not subscribed");
    Ok((connection, epoch))
}

/// From an attempt that fails to the next one.
fn back_off(times: u64) -> Result<()> {
    let mut connection = Connection::new(Options::new(AppKey::parse("bench-key")?), 1);
    let mut now = NOW;
    connection.connect(now).for_each(drop);
    let mut epoch = connection.epoch().context("a socket is opened")?;
    for _ in 0..times {
        let failure = ConnectFailure {
            class: FailureClass::Network,
            kind: ConnectFailureKind::Network,
            retry_after: None,
            message: "refused".to_owned(),
        };
        let mut outputs = connection.handle_connect_failed(now, epoch, failure);
        for output in &mut outputs {
            black_box(output);
        }
        drop(outputs);
        epoch = next_attempt(&mut connection, &mut now)?;
    }
    Ok(())
}

fn next_attempt(connection: &mut Connection, now: &mut Time) -> Result<Epoch> {
    loop {
        *now = connection.poll_timeout().context("another attempt follows")?;
        let mut opened = None;
        let mut outputs = connection.handle_timeout(*now);
        for output in &mut outputs {
            if let Output::OpenSocket { epoch, .. } = black_box(output) {
                opened = Some(epoch);
            }
        }
        drop(outputs);
        if let Some(epoch) = opened {
            return Ok(epoch);
        }
    }
}

/// From the text of a frame to the typed push.
fn decode(case: &str, times: u64) -> Result<()> {
    let text = fixture(case)?;
    let decoder = VmsDecoder::new("https://example.com");
    let (mut connection, epoch) = subscribed()?;
    for _ in 0..times {
        for output in connection.handle_text(NOW, epoch, black_box(&text)) {
            let Output::Event(event) = output else { bail!("{output:?} instead of the event") };
            black_box(decoder.decode_event(&event));
        }
    }
    Ok(())
}

/// What of a file of `testing/fixtures` the server sends.
#[derive(Deserialize)]
struct File {
    event: String,
    payload: Option<String>,
    data: Option<Box<RawValue>>,
}

/// The cases of the well-formed events of `testing/fixtures`.
fn decode_cases() -> Result<Vec<String>> {
    let mut cases = Vec::new();
    for side in ["app", "intercom"] {
        let folder = Path::new(FIXTURES).join(side);
        for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let path = entry?.path();
            let name = path.file_stem().context("a file has a name")?.to_string_lossy().into_owned();
            cases.push(format!("decode/{side}/{name}"));
        }
    }
    cases.sort();
    Ok(cases)
}

/// Reads the frame of a case, its members in the order of the file. Nothing is allocated whose size depends on where the
/// project lies: what the allocator does later would depend on it too.
fn fixture(case: &str) -> Result<String> {
    std::env::set_current_dir(FIXTURES).context("the fixtures are there")?;
    let name = case.strip_prefix("decode/").context("a case of decoding")?;
    let File { event, payload, data } = serde_json::from_slice(&std::fs::read(format!("{name}.json"))?)?;
    let data = payload.or_else(|| Some(compact(data?.get()))).context("a fixture has data")?;
    let (event, data) = (Value::from(event), Value::from(data));
    Ok(format!("{{\"event\":{event},\"channel\":\"{USER_CHANNEL}\",\"data\":{data}}}"))
}

/// Takes the white space between tokens away, as servers write.
fn compact(document: &str) -> String {
    let (mut in_string, mut is_escaped) = (false, false);
    let is_kept = |character: &char| {
        let is_kept = in_string || !character.is_ascii_whitespace();
        in_string ^= *character == '"' && !is_escaped;
        is_escaped = in_string && *character == '\\' && !is_escaped;
        is_kept
    };
    document.chars().filter(is_kept).collect()
}

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures");
const NOW: Time = Time::ZERO;
const PAYLOADS: [Payload; 3] = [Payload::Small, Payload::Medium, Payload::Intercom];

//! The hand-written limit: a frame reader, an envelope scan and a parser made for these three messages, without
//! anything that a real client needs beside. Texts, times and enumerations come out as owned strings.

mod envelope;
mod frame_reader;
mod messages;
mod reader;

use std::hint::black_box;

use anyhow::{Context as _, Result};

use super::plain::{is_internal, subscribed};
use super::{Mode, Seen, Target};
use crate::workload::END_EVENT;
use envelope::Envelope;
pub(crate) use frame_reader::FrameReader;
use messages::Message;

pub(super) fn events(mode: Mode, target: &Target) -> Result<Seen> {
    let mut reader = FrameReader::new(subscribed(target)?);
    let (mut seen, mut room) = (Seen::new(mode), Vec::new());
    loop {
        let frame = reader.next()?;
        let text = std::str::from_utf8(frame)?;
        let envelope = Envelope::scan(text, &mut room).context("not an envelope")?;
        match envelope.event {
            END_EVENT => return Ok(seen),
            event if is_internal(event) => {}
            event => {
                black_box(Message::parse(event, envelope.data).context("not one of the messages")?);
                seen.event();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{Payload, USER_CHANNEL};

    #[test]
    fn every_message_of_the_workload_is_parsed_to_its_last_field() {
        let mut room = Vec::new();
        let parsed: Vec<String> = Payload::Mixed
            .texts(USER_CHANNEL)
            .iter()
            .map(|text| {
                let envelope = Envelope::scan(text, &mut room).unwrap();
                format!("{:?}", Message::parse(envelope.event, envelope.data).unwrap())
            })
            .collect();

        let expected = [
            ["camera_id: 17", "order: Some(3)"],
            ["duration: Some(3600)", "Front door"],
            ["is_online: Some(true)", "ring"],
        ];
        for (parsed, expected) in parsed.iter().zip(expected) {
            assert!(expected.iter().all(|part| parsed.contains(part)), "{parsed}");
        }
    }
}

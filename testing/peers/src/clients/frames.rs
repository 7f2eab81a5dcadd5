//! Messages alone: the frames are told apart by a reader of our own, and their content is not looked at.

use std::hint::black_box;

use anyhow::Result;

use super::plain::subscribed;
use super::written::FrameReader;
use super::{Mode, Seen, Target};
use crate::workload::{USER_CHANNEL, end_text};

pub(super) fn events(mode: Mode, target: &Target) -> Result<Seen> {
    let mut reader = FrameReader::new(subscribed(target)?);
    let (mut seen, end) = (Seen::new(mode), end_text(USER_CHANNEL));
    // The greeting and two acknowledgements.
    for _ in 0..3 {
        reader.next()?;
    }
    loop {
        let text = black_box(reader.next()?);
        if text == end.as_bytes() {
            return Ok(seen);
        }
        seen.event();
    }
}

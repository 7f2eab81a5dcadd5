use std::time::Duration;

use anyhow::Result;

use super::Bench;
use super::memory::exact;
use super::sweep::CHUNK;
use crate::report::{Bound, Figure, Goal, Line, Plot, Scale, Section, Table, Unit};
use crate::resources::Snapshot;
use crate::runner::{CHANNELS, Client, RAW_ASYNC, STREAM};
use crate::workload::Payload;

/// CPU an event with many channels and with many sessions.
pub(super) fn section(bench: &Bench) -> Result<Section> {
    let mut section = Section { title: "Growth", method: METHOD.to_owned(), ..Section::default() };
    channels(bench, &mut section)?;
    sessions(bench, &mut section)?;
    Ok(section)
}

fn channels(bench: &Bench, section: &mut Section) -> Result<()> {
    let mut table = Table::new(&["channels of one client", "an event"]);
    let mut points = Vec::new();
    for count in [1, 10, 100, 1_000] {
        let figure = bench.over_channels(count)?;
        points.extend(figure.as_ref().map(|figure| (exact(count), figure.value)));
        table.push(count.to_string(), vec![figure]);
    }
    section.tables.push(table);
    section.goals.push(flat("CPU an event, 1,000 channels ÷ 1", &points));
    let lines = vec![Line { label: "channels".to_owned(), points }];
    section.plots.push(curve("performance-channels", "CPU an event by channels", "channels", lines));
    Ok(())
}

fn sessions(bench: &Bench, section: &mut Section) -> Result<()> {
    let most = bench.sessions(8_000, false);
    let counts: Vec<usize> = [1, 10, 100, 1_000, most].into_iter().collect();
    let mut table = Table::new(&["sessions in one process", "vms-pusher, stream", "the bytes alone, tokio"]);
    let mut lines = [STREAM, RAW_ASYNC].map(|client| Line { label: client.label.replace('*', ""), points: Vec::new() });
    let mut counts = counts;
    counts.dedup();
    for count in counts {
        let mut cells = Vec::new();
        for (client, line) in [STREAM, RAW_ASYNC].into_iter().zip(&mut lines) {
            let figure = bench.over_sessions(client, count)?;
            line.points.extend(figure.as_ref().map(|figure| (exact(count), figure.value)));
            cells.push(figure);
        }
        table.push(count.to_string(), cells);
    }
    section.tables.push(table);
    let points = lines.first().map(|line| line.points.clone()).unwrap_or_default();
    section.goals.push(flat(&format!("CPU an event, {most} sessions ÷ 1"), &points));
    section.plots.push(curve("performance-sessions", "CPU an event by sessions", "sessions", lines.into()));
    Ok(())
}

/// What the last point is of the first.
fn flat(what: &str, points: &[(f64, f64)]) -> Goal {
    let value = points.first().zip(points.last()).map(|(first, last)| last.1 / first.1);
    Goal { what: what.to_owned(), value, unit: Unit::Ratio, bound: Bound::AtMost(1.1) }
}

fn curve(name: &'static str, title: &str, across: &'static str, lines: Vec<Line>) -> Plot {
    Plot { name, title: title.to_owned(), across, up: "ns an event", scale: Scale::Linear, lines }
}

impl Bench {
    fn over_channels(&self, count: usize) -> Result<Option<Figure>> {
        let blaster = self.blaster(false)?;
        let running = self.start(&blaster, CHANNELS, "channels", count, false)?;
        let names: Vec<String> = (0..count).map(|channel| format!("private-user.{channel}")).collect();
        // A whole number of turns over all channels.
        let chunk = 3 * CHUNK.div_ceil(3 * count) * count;
        let chunks = (self.events(CHANNELS) / chunk).max(1);
        let mut costs = Vec::new();
        // The first round warms up.
        for round in 0..=self.effort.rounds {
            let before = Snapshot::of(running.process())?;
            for _ in 0..chunks {
                self.runtime.block_on(blaster.blast_over(&names, chunk))?;
                self.check(CHANNELS, &running.numbers("done")?, chunk);
            }
            let after = Snapshot::of(running.process())?;
            if round > 0 {
                costs.push(nanos(after.cpu - before.cpu) / exact(chunk * chunks));
            }
        }
        Ok(Figure::of(format!("growth/channels/{count}"), Unit::Nanoseconds, costs))
    }

    fn over_sessions(&self, client: Client, count: usize) -> Result<Option<Figure>> {
        let blaster = self.blaster(false)?;
        let running = self.start(&blaster, client, "sessions", count, false)?;
        let chunks = (self.events(STREAM) / (CHUNK * count)).max(1);
        let mut costs = Vec::new();
        for round in 0..=self.effort.rounds {
            let before = Snapshot::of(running.process())?;
            for _ in 0..chunks {
                self.runtime.block_on(blaster.blast(Payload::Mixed, CHUNK))?;
                let mut line = running.line()?;
                while let Some(dropped) = line.strip_prefix("lagged ") {
                    self.check(client, &[0], dropped.parse().unwrap_or(0));
                    line = running.line()?;
                }
            }
            let after = Snapshot::of(running.process())?;
            if round > 0 {
                let events = CHUNK * count * chunks;
                self.check(client, &[events as u64], events);
                costs.push(nanos(after.cpu - before.cpu) / exact(events));
            }
        }
        Ok(Figure::of(format!("growth/sessions/{}/{count}", client.id), Unit::Nanoseconds, costs))
    }

    fn events(&self, client: Client) -> usize {
        let events = self.effort.run.as_nanos() / u128::from(client.guess);
        usize::try_from(events).unwrap_or(0) / 3_000 * 3_000
    }
}

pub(super) fn nanos(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}

const METHOD: &str = "\
CPU time of the process while it takes the events, divided by events, after a round that warms up. The events come in \
chunks of 300 a session, or of a whole number of turns over all channels; the next chunk is sent when the last has been \
taken. `VmsPusherApi` has two channels; the many are those of a \
`channels-client` with the same decoder. The bare readers show what the same connections cost the operating system.";

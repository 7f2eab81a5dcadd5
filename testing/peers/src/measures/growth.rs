use std::time::Duration;

use anyhow::Result;

use super::Bench;
use super::memory::exact;
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
    let most = bench.sessions(8_000);
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
        let events = self.events(CHANNELS);
        let mut costs = Vec::new();
        // The first round warms up.
        for round in 0..=self.effort.rounds {
            let before = Snapshot::of(running.process())?;
            self.runtime.block_on(blaster.blast_over(&names, events))?;
            let done = running.numbers("done")?;
            let after = Snapshot::of(running.process())?;
            self.check(CHANNELS, &done, events);
            if round > 0 {
                costs.push(nanos(after.cpu - before.cpu) / exact(events));
            }
        }
        Ok(Figure::of(format!("growth/channels/{count}"), Unit::Nanoseconds, costs))
    }

    fn over_sessions(&self, client: Client, count: usize) -> Result<Option<Figure>> {
        let mut costs = Vec::new();
        let each = (self.events(STREAM) * 2 / count).max(150) / 3 * 3;
        let rounds = if client == STREAM { self.effort.rounds } else { 1 };
        let blaster = self.blaster(false)?;
        for round in 0..=rounds {
            // Bare readers end with the events.
            let running = self.start(&blaster, client, "sessions", count, false)?;
            let before = Snapshot::of(running.process())?;
            self.runtime.block_on(blaster.blast(Payload::Mixed, each))?;
            let mut line = running.line()?;
            while line.starts_with("lagged") {
                self.omit(format!("{} with {count} sessions: {line}", client.id));
                line = running.line()?;
            }
            let after = Snapshot::of(running.process())?;
            drop(running);
            blaster.cut();
            if round > 0 || rounds == 1 {
                costs.push(nanos(after.cpu - before.cpu) / exact(each * count));
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
The CPU time of the process before and after a blast, divided by events; a blast before it warms up. The events go over \
all channels in turn, or to all sessions at once. `VmsPusherApi` has two channels; the many are those of a \
`channels-client` with the same decoder. The bare readers show what the same connections cost the operating system.";

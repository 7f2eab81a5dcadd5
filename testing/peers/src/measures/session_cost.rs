use std::time::Duration;

use anyhow::Result;

use super::Bench;
use super::growth::nanos;
use super::memory::exact;
use crate::report::{Bound, Figure, Goal, Section, Table, Unit};
use crate::resources::Snapshot;
use crate::runner::STREAM;

/// CPU a session of connecting for the first time, and of all reconnecting after the server was restarted.
pub(super) fn section(bench: &Bench) -> Result<Section> {
    let most = bench.sessions(8_000, true);
    let mut table = Table::new(&["sessions", "first connect", "reconnect", "ratio"]);
    let mut goals = Vec::new();
    let mut cases = vec![(false, 1_000.min(most)), (false, most), (true, 1_000.min(most))];
    cases.dedup();
    for (tls, count) in cases {
        let scheme = if tls { "wss" } else { "ws" };
        let runs = (0..bench.effort.rounds.div_ceil(2)).map(|_| bench.connect_and_reconnect(count, tls));
        let runs = runs.collect::<Result<Vec<_>>>()?;
        let figure = |what: &str, unit, value: fn(&(f64, f64)) -> f64| {
            Figure::of(format!("reconnect/{what}/{scheme}/{count}"), unit, runs.iter().map(value).collect())
        };
        let ratio = figure("ratio", Unit::Ratio, |(first, again)| again / first);
        if count == most && !tls {
            let what = format!("CPU a session, {most} sessions reconnecting ÷ connecting for the first time");
            let value = ratio.as_ref().map(|ratio| ratio.value);
            goals.push(Goal { what, value, unit: Unit::Ratio, bound: Bound::AtMost(1.15) });
        }
        let first = figure("first", Unit::Nanoseconds, |(first, _)| *first);
        let again = figure("again", Unit::Nanoseconds, |(_, again)| *again);
        table.push(format!("{count}, {scheme}"), vec![first, again, ratio]);
    }
    let title = "CPU of reconnecting after the server was restarted";
    Ok(Section { title, method: METHOD.to_owned(), tables: vec![table], goals, ..Section::default() })
}

impl Bench {
    /// Returns the CPU time a session of both, in nanoseconds.
    fn connect_and_reconnect(&self, count: usize, tls: bool) -> Result<(f64, f64)> {
        let mut blaster = self.blaster(tls)?;
        // A process with one session has started up; what the others take on top is theirs.
        let alone = Snapshot::of(self.start(&blaster, STREAM, "sessions", 1, tls)?.process())?;
        blaster.cut();
        let running = self.start(&blaster, STREAM, "sessions", count, tls)?;
        std::thread::sleep(Duration::from_secs(1));
        let connected = Snapshot::of(running.process())?;
        let acknowledged = blaster.acknowledged();
        self.runtime.block_on(blaster.stop());
        std::thread::sleep(DOWN);
        {
            let _guard = self.runtime.enter();
            blaster.resume()?;
        }
        let all = acknowledged + 2 * count;
        self.runtime.block_on(blaster.wait_acknowledged(all, Duration::from_secs(180)))?;
        std::thread::sleep(Duration::from_secs(1));
        let again = Snapshot::of(running.process())?;
        let first = nanos(connected.cpu.saturating_sub(alone.cpu)) / exact(count - 1);
        Ok((first, nanos(again.cpu - connected.cpu) / exact(count)))
    }
}

/// The server is down for so long: the restart of a service.
const DOWN: Duration = Duration::from_millis(200);

const METHOD: &str = "\
CPU time of the process from the first `connect()` until both channels of all sessions are acknowledged, less that of a \
process with one session; and from the moment the server drops all connections until all are acknowledged again. The server \
is away for 200 ms; attempts that fail meanwhile are counted in.";

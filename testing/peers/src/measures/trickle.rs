use std::time::Duration;

use anyhow::{Result, ensure};

use super::Bench;
use crate::blaster::Blaster;
use crate::report::{Bound, Figure, Goal, Section, Table, Unit};
use crate::runner::{
    Client, DELEGATE, OBVIOUS, PUSHER_JAVA, PUSHER_JS, RAW, RAW_ASYNC, STREAM, STREAM_THREADS, WRITTEN,
};

/// CPU an event and delay when the events come one at a time.
pub(super) fn section(bench: &Bench) -> Result<Section> {
    let clients = bench.taking_part(&CLIENTS);
    let blaster = bench.blaster(false)?;
    let mut runs: Vec<(Client, Vec<f64>, Vec<f64>)> =
        clients.iter().map(|client| (*client, Vec::new(), Vec::new())).collect();
    for _ in 0..bench.effort.rounds.min(5) {
        for (client, costs, delays) in &mut runs {
            match bench.one_at_a_time(&blaster, *client) {
                Ok((cost, delay)) => {
                    costs.push(cost);
                    delays.push(delay);
                }
                Err(error) if client.is_peer() => bench.omit(format!("{}, trickle: {error:#}", client.id)),
                Err(error) => return Err(error),
            }
        }
    }
    let mut table = Table::new(&["client", "CPU an event", "delay, median"]);
    let mut medians = Vec::new();
    for (client, costs, delays) in runs {
        let cost = Figure::of(format!("trickle/cpu/{}", client.id), Unit::Nanoseconds, costs);
        let delay = Figure::of(format!("trickle/delay/{}", client.id), Unit::Nanoseconds, delays);
        medians.push((client.id, cost.as_ref().map(|cost| cost.value), delay.as_ref().map(|delay| delay.value)));
        table.push(client.label, vec![cost, delay]);
    }
    let find = |id: &str| medians.iter().find(|(found, ..)| *found == id);
    let (stream, raw) = (find(STREAM.id), find(RAW_ASYNC.id));
    let ratio = stream.and_then(|stream| Some(stream.1? / raw?.1?));
    let goals = vec![
        Goal {
            what: "trickle: CPU, stream ÷ a raw read on tokio".to_owned(),
            value: ratio,
            unit: Unit::Ratio,
            bound: Bound::AtMost(1.3),
        },
        Goal {
            what: "trickle: median delay from the write to the stream".to_owned(),
            value: stream.and_then(|stream| stream.2),
            unit: Unit::Nanoseconds,
            bound: Bound::AtMost(30_000.0),
        },
    ];
    let title = "CPU an event and delay, 1,000 events a second";
    Ok(Section { title, method: METHOD.to_owned(), tables: vec![table], goals, ..Section::default() })
}

impl Bench {
    /// Returns the CPU time an event and the median delay, in nanoseconds.
    #[expect(clippy::cast_precision_loss, reason = "far fewer nanoseconds than 2^52")]
    fn one_at_a_time(&self, blaster: &Blaster, client: Client) -> Result<(f64, f64)> {
        let large = usize::try_from(self.effort.run.as_millis()).unwrap_or(0).max(600) * 3;
        let small = large / 4;
        let (few, _) = self.trickle(blaster, client, small)?;
        let (many, mut delays) = self.trickle(blaster, client, large)?;
        // The first events wake up what has slept since the start.
        delays.drain(..delays.len() / 10);
        delays.sort_unstable();
        let median = delays.get(delays.len() / 2).copied().unwrap_or(0);
        Ok(((many.as_secs_f64() - few.as_secs_f64()) * 1e9 / (large - small) as f64, median as f64))
    }

    fn trickle(&self, blaster: &Blaster, client: Client, events: usize) -> Result<(Duration, Vec<u64>)> {
        let running = self.start(blaster, client, "times", 1, false)?;
        if client.warm_up > 0 {
            self.runtime.block_on(blaster.warm_up(client.warm_up))?;
            std::thread::sleep(Duration::from_secs(1));
        }
        let written = self.runtime.block_on(blaster.trickle(events, Duration::from_millis(1)))?;
        let done = running.numbers("done")?;
        let seen = usize::try_from(done.first().copied().unwrap_or(0))?;
        // A bare read sees acknowledgements too, and now and then two events at once.
        ensure!(seen == events + client.warm_up || client.counts_bytes(), "{seen} of {events} events came");
        let times = (0..seen).map(|_| running.numbers("")?.first().copied().ok_or_else(|| anyhow::anyhow!("no time")));
        let times = times.collect::<Result<Vec<_>>>()?;
        let cpu = running.end()?;
        blaster.cut();
        let seen = times.get(client.warm_up..).unwrap_or_default();
        Ok((cpu, if client.counts_bytes() { delays_of_reads(&written, seen) } else { delays(&written, seen) }))
    }
}

/// From each write to the event it brought.
fn delays(written: &[u64], seen: &[u64]) -> Vec<u64> {
    written.iter().zip(seen).map(|(written, seen)| seen.saturating_sub(*written)).collect()
}

/// From each write to the first read at or behind it, but not behind the next write.
fn delays_of_reads(written: &[u64], seen: &[u64]) -> Vec<u64> {
    let mut seen = seen.iter().copied().peekable();
    let mut delays = Vec::with_capacity(written.len());
    for (index, &from) in written.iter().enumerate() {
        let until = written.get(index + 1).copied().unwrap_or(u64::MAX);
        while seen.next_if(|time| *time < from).is_some() {}
        if let Some(time) = seen.next_if(|time| *time < until) {
            delays.push(time - from);
        }
    }
    delays
}

const CLIENTS: [Client; 9] =
    [STREAM, STREAM_THREADS, DELEGATE, RAW_ASYNC, RAW, WRITTEN, OBVIOUS, PUSHER_JS, PUSHER_JAVA];

const METHOD: &str = "\
One event a millisecond on one connection. CPU is measured as above; code that is compiled while it runs is warmed up by \
a blast before. The delay runs from the moment before the server's \
`write` to the moment when the client has the item, on the clock that both processes share. On the loopback interface the \
kernel puts the data into the receiving socket within that `write`, so the delay is never less than that from the kernel's \
readiness to the consumer: it includes the server's system call. The rows that read the bare bytes show how much of it is \
the operating system's.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_of_a_bare_read_skip_what_belongs_to_no_write() {
        assert_eq!(delays_of_reads(&[100, 200, 300], &[90, 107, 305]), [7, 5]);
        assert_eq!(delays_of_reads(&[100, 200], &[109, 208]), [9, 8]);
    }

    #[test]
    fn delays_of_events_go_from_each_write_to_its_event_however_late() {
        assert_eq!(delays(&[100, 200, 300], &[250, 260, 305]), [150, 60, 5]);
    }
}

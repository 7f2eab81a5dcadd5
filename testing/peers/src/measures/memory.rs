use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::Bench;
use crate::report::{Bound, Figure, Goal, Section, Table, Unit};
use crate::resources::Snapshot;
use crate::runner::{Client, PUSHER_JAVA, PUSHER_JS, RAW_ASYNC, Running, STREAM};
use crate::workload::Payload;

/// Memory, threads and wakes of sessions in which nothing happens, and memory when nothing is taken.
pub(super) fn section(bench: &Bench) -> Result<Section> {
    let title = "Memory and wakes";
    let mut section = Section { title, method: METHOD.to_owned(), ..Section::default() };
    idle(bench, &mut section)?;
    wakes(bench, &mut section)?;
    stopped(bench, &mut section)?;
    Ok(section)
}

fn idle(bench: &Bench, section: &mut Section) -> Result<()> {
    let most = bench.sessions(8_000, false);
    let mut table = Table::new(&["client", "sessions", "memory a session", "threads"]);
    let cases = [
        (STREAM, 1_000, false),
        (STREAM, most, false),
        (STREAM, 1_000, true),
        (STREAM, most, true),
        (RAW_ASYNC, 1_000, false),
        (PUSHER_JS, 300, false),
        (PUSHER_JAVA, 60, false),
    ];
    let mut at_most = [None, None];
    for (client, count, tls) in cases.into_iter().filter(|(client, ..)| bench.taking_part(&[*client]).len() == 1) {
        let scheme = if tls { "wss" } else { "ws" };
        let cell = match bench.idle_session(client, count, tls) {
            Ok(cell) => cell,
            Err(error) if client.is_peer() => {
                bench.omit(format!("{}, memory: {error:#}", client.id));
                continue;
            }
            Err(error) => return Err(error),
        };
        let id = format!("{scheme}/{}/{count}", client.id);
        if client == STREAM && count == most {
            at_most[usize::from(tls)] = Some(cell.bytes);
        }
        table.push(
            format!("{}, {scheme}", client.label),
            vec![
                Some(Figure::single(format!("memory/sessions/{id}"), Unit::Count, exact(count))),
                Some(Figure::single(format!("memory/idle/{id}"), Unit::Bytes, cell.bytes)),
                Some(Figure::single(format!("memory/threads/{id}"), Unit::Count, exact(cell.threads))),
            ],
        );
    }
    section.tables.push(table);
    for (scheme, value, bound) in [("ws", at_most[0], 8_192.0), ("wss", at_most[1], 18_432.0)] {
        let what = format!("memory of an idle session, {scheme}, {most} sessions");
        section.goals.push(Goal { what, value, unit: Unit::Bytes, bound: Bound::AtMost(bound) });
    }
    Ok(())
}

struct Idle {
    bytes: f64,
    threads: u64,
}

impl Bench {
    /// The memory of `count` sessions less that of a few, divided.
    fn idle_session(&self, client: Client, count: usize, tls: bool) -> Result<Idle> {
        let few = (count / 10).min(20);
        let (small, large) = (self.settled(client, few, tls)?, self.settled(client, count, tls)?);
        let bytes = large.anonymous_bytes.saturating_sub(small.anonymous_bytes);
        Ok(Idle { bytes: exact(bytes) / exact(count - few), threads: large.threads })
    }

    /// Looks at a client with `count` sessions when what connecting took has been given back. Threads that have looked up
    /// addresses end when they had nothing to do for ten seconds.
    fn settled(&self, client: Client, count: usize, tls: bool) -> Result<Snapshot> {
        let blaster = self.blaster(tls)?;
        let mut running = self.start(&blaster, client, "sessions", count, tls)?;
        std::thread::sleep(Duration::from_secs(if client.is_peer() { 2 } else { 11 }));
        if client.is_peer() {
            running.tell("collect")?;
            ensure!(running.line()? == "collected", "no garbage collection");
        }
        Snapshot::of(running.process())
    }
}

fn wakes(bench: &Bench, section: &mut Section) -> Result<()> {
    let mut table = Table::new(&["idle sessions in one process", "sleeps a session and period"]);
    for sessions in [1, WAKING] {
        let value = bench.sleeps(sessions)?;
        let figure = Figure::single(format!("memory/wakes/{sessions}"), Unit::Count, value);
        table.push(sessions.to_string(), vec![Some(figure)]);
        let what = format!("idle wakes a session and activity period, {sessions} sessions in one process");
        section.goals.push(Goal { what, value: Some(value), unit: Unit::Count, bound: Bound::AtMost(1.0) });
    }
    section.tables.push(table);
    section.notes.push(
        "A period with nothing from the server is a ping and its answer: of a single session the timer and the answer are a \
         wake each, and tokio's timers may wake once more on the way. Sessions ping at whole seconds, so many of them wake \
         the process together. All threads of its runtime are counted."
            .to_owned(),
    );
    Ok(())
}

impl Bench {
    /// How often the threads of a process went to sleep, by its sessions and their periods, which are told by their pings.
    fn sleeps(&self, sessions: usize) -> Result<f64> {
        let blaster = self.blaster(false)?;
        let environment = [("BENCH_ACTIVITY_MILLIS", &*PERIOD.as_millis().to_string())];
        let running = self.programs.start_with(STREAM, "sessions", &blaster.ports(), sessions, &environment)?;
        self.runtime.block_on(blaster.wait_acknowledged(2 * sessions, Duration::from_secs(60)))?;
        // Threads that have looked up addresses end when they had nothing to do for ten seconds.
        std::thread::sleep(Duration::from_secs(11) + PERIOD);
        let (before, pings) = (Snapshot::of(running.process())?, blaster.pings());
        std::thread::sleep(4 * PERIOD);
        let after = Snapshot::of(running.process())?;
        let sent = blaster.pings() - pings;
        ensure!(sent > 0, "there was no period without a message");
        Ok(exact(after.sleeps - before.sleeps) / exact(sent))
    }
}

fn stopped(bench: &Bench, section: &mut Section) -> Result<()> {
    let mut table = Table::new(&["client whose consumer has stopped", "events sent", "memory gained"]);
    let events = if bench.effort.sessions > 1_000 { 200_000 } else { 60_000 };
    for client in bench.taking_part(&[STREAM, PUSHER_JAVA]) {
        let gained = bench.gain_when_stopped(client, events)?;
        let cells = vec![
            Some(Figure::single(format!("memory/stopped/events/{}", client.id), Unit::Count, exact(events))),
            Some(Figure::single(format!("memory/stopped/{}", client.id), Unit::Bytes, gained)),
        ];
        table.push(client.label, cells);
        if client == STREAM {
            let what =
                "memory gained while nobody takes the items (the queue is bounded by 4 MiB of frames)".to_owned();
            let bound = Bound::AtMost(2.0 * 4.0 * 1_048_576.0);
            section.goals.push(Goal { what, value: Some(gained), unit: Unit::Bytes, bound });
        }
    }
    section.tables.push(table);
    Ok(())
}

impl Bench {
    fn gain_when_stopped(&self, client: Client, events: usize) -> Result<f64> {
        let blaster = self.blaster(false)?;
        let running = self.start(&blaster, client, "stopped", 1, false)?;
        std::thread::sleep(Duration::from_millis(500));
        let before = Snapshot::of(running.process())?;
        // A client that does not read any more holds the server up for good.
        let blast = blaster.blast(Payload::Mixed, events);
        let _ = self.runtime.block_on(async { tokio::time::timeout(Duration::from_secs(20), blast).await });
        let after = self.steady(&running).context("the client is gone")?;
        Ok(exact(after.anonymous_bytes.saturating_sub(before.anonymous_bytes)))
    }

    /// Looks at a process when it has read what there was.
    fn steady(&self, running: &Running) -> Result<Snapshot> {
        let mut last = Snapshot::of(running.process())?;
        for _ in 0..60 {
            std::thread::sleep(Duration::from_millis(500));
            let now = Snapshot::of(running.process())?;
            if now.cpu.saturating_sub(last.cpu) < Duration::from_millis(5) {
                return Ok(now);
            }
            last = now;
        }
        Ok(last)
    }
}

/// Sessions whose wakes are counted together.
const WAKING: usize = 200;
/// A third of the default, so that several of them take less than a minute.
const PERIOD: Duration = Duration::from_secs(10);

/// Counts are far below 2^52.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub(super) fn exact<T: TryInto<u64>>(count: T) -> f64 {
    count.try_into().unwrap_or(0) as f64
}

const METHOD: &str = "\
Anonymous resident memory of the process (`RssAnon`) with many sessions, less that with a few, divided by their number; \
the client subscribes to both channels of each, and is looked at eleven seconds later, when idle helper threads have ended (two in other languages). The clients in other languages \
collect their garbage before. Memory in the kernel is not counted.";

use anyhow::Result;

use super::Bench;
use super::sweep::Costs;
use crate::report::{Bound, Figure, Goal, Line, Plot, Scale, Section, Table, Unit};
use crate::runner::{
    ASYNC_PUSHER, BATCH, Client, DELEGATE, FRAMES, LISTEN, OBVIOUS, PUSHER_JAVA, PUSHER_JS, PYSHER, RAW, STREAM,
    STREAM_THREADS, WRITTEN,
};
use crate::workload::Payload;

/// CPU an event, from the wire to the consumer, while the server writes as fast as the client reads.
pub(super) fn section(bench: &Bench) -> Result<Section> {
    let clients = bench.taking_part(&ALL);
    let mixed = bench.sweep(&clients, Payload::Mixed)?;
    let mut section = Section { title: "CPU an event, saturated", method: METHOD.to_owned(), ..Section::default() };
    section.tables.push(mixed_table(&clients, &mixed));
    section.goals = goals(&mixed);
    section.plots.push(plot(&clients, &mixed));

    let clients = bench.taking_part(&BY_PAYLOAD);
    let mut table = Table::new(&["client", "small", "medium", "intercom"]);
    let payloads = [Payload::Small, Payload::Medium, Payload::Intercom];
    let costs = payloads.map(|payload| bench.sweep(&clients, payload).map(|costs| (payload, costs)));
    let costs = costs.into_iter().collect::<Result<Vec<_>>>()?;
    for client in clients {
        let cells = costs.iter().map(|(payload, costs)| {
            Figure::of(format!("cpu/{payload}/{}", client.id), Unit::Nanoseconds, costs.get(client.id)?.clone())
        });
        table.push(client.label, cells.collect());
    }
    section.tables.push(table);
    Ok(section)
}

fn mixed_table(clients: &[Client], costs: &Costs) -> Table {
    let mut table = Table::new(&["client", "an event", "of the stream"]);
    for client in clients {
        let cost = costs.get(client.id).cloned().unwrap_or_default();
        let figure = Figure::of(format!("cpu/mixed/{}", client.id), Unit::Nanoseconds, cost);
        let ratio = ratio(costs, client.id, STREAM.id);
        let ratio = ratio.map(|ratio| Figure::single(format!("cpu/ratio/{}", client.id), Unit::Ratio, ratio));
        table.push(client.label, vec![figure, ratio]);
    }
    table
}

fn goals(costs: &Costs) -> Vec<Goal> {
    let goal = |what: &str, value, unit, bound| Goal { what: what.to_owned(), value, unit, bound };
    let stream = median(costs, STREAM.id);
    vec![
        goal("CPU an event, stream, mixed workload", stream, Unit::Nanoseconds, Bound::AtMost(600.0)),
        goal("pusher-js ÷ stream", ratio(costs, PUSHER_JS.id, STREAM.id), Unit::Ratio, Bound::AtLeast(12.0)),
        goal("the obvious Rust ÷ stream", ratio(costs, OBVIOUS.id, STREAM.id), Unit::Ratio, Bound::AtLeast(2.2)),
        goal("stream ÷ the hand-written limit", ratio(costs, STREAM.id, WRITTEN.id), Unit::Ratio, Bound::AtMost(1.5)),
        goal("`listen --json` ÷ stream", ratio(costs, LISTEN.id, STREAM.id), Unit::Ratio, Bound::AtMost(2.5)),
        goal("delegate ÷ stream", ratio(costs, DELEGATE.id, STREAM.id), Unit::Ratio, Bound::AtMost(1.5)),
        goal(
            "stream, runtime of two threads ÷ stream",
            ratio(costs, STREAM_THREADS.id, STREAM.id),
            Unit::Ratio,
            Bound::AtMost(1.3),
        ),
    ]
}

fn median(costs: &Costs, id: &str) -> Option<f64> {
    Figure::of("", Unit::Nanoseconds, costs.get(id)?.clone()).map(|figure| figure.value)
}

/// The median of the ratios of each round: what slows the whole machine down for a while slows both.
fn ratio(costs: &Costs, over: &str, under: &str) -> Option<f64> {
    let pairs = costs.get(over)?.iter().zip(costs.get(under)?);
    Figure::of("", Unit::Ratio, pairs.map(|(over, under)| over / under).collect()).map(|figure| figure.value)
}

fn plot(clients: &[Client], costs: &Costs) -> Plot {
    let bars = clients.iter().filter_map(|client| {
        Some(Line { label: client.label.replace(['*', '`'], ""), points: vec![(0.0, median(costs, client.id)?)] })
    });
    Plot {
        name: "performance-cpu",
        title: "CPU an event, nanoseconds (logarithmic)".to_owned(),
        across: "",
        up: "ns",
        scale: Scale::Logarithmic,
        lines: bars.collect(),
    }
}

const ALL: [Client; 13] = [
    STREAM,
    BATCH,
    STREAM_THREADS,
    DELEGATE,
    LISTEN,
    PUSHER_JS,
    PUSHER_JAVA,
    ASYNC_PUSHER,
    PYSHER,
    OBVIOUS,
    WRITTEN,
    FRAMES,
    RAW,
];
const BY_PAYLOAD: [Client; 4] = [STREAM, OBVIOUS, WRITTEN, PUSHER_JS];

const METHOD: &str = "\
User and system CPU time of the client's process, as the operating system reports it at its end, divided by events. A \
server written for this writes frames that were made beforehand as fast as the client reads. Each client runs once with \
few and once with many events; the difference is divided, so that its start cancels out. All clients take turns, the \
median of all rounds counts, and ± is half the distance between the best and the worst. Ratios are medians of the ratios \
within a round. Nothing of ours is switched off: authorization, delivery with its limits, gaps, liveness. Where \
the consumer is on another thread than the client, ours drops what the consumer cannot take, and says so; there the server \
sends 300 events and waits until they have been taken.

*The obvious Rust* is a plain socket with `tungstenite` and `serde_json` into owned structures, the envelope first, then \
the text in `data`. *The hand-written limit* is a frame reader and a parser written for these three messages, into \
owned strings, without anything else that a client does. The clients in other languages hand over untyped objects; \
where a library leaves `data` as text, its user parses it.";

use anyhow::Result;

use super::Bench;
use super::memory::exact;
use crate::proxy::TurnProxy;
use crate::report::{Bound, Figure, Goal, Section, Table, Unit};
use crate::runner::{ASYNC_PUSHER, Client, PUSHER_JAVA, PUSHER_JS, RUSTLS, STREAM};

/// Round trips until both channels are acknowledged, and the CPU time of handshakes.
pub(super) fn section(bench: &Bench) -> Result<Section> {
    let title = "Connecting";
    let mut section = Section { title, method: METHOD.to_owned(), ..Section::default() };
    round_trips(bench, &mut section)?;
    handshakes(bench, &mut section)?;
    Ok(section)
}

fn round_trips(bench: &Bench, section: &mut Section) -> Result<()> {
    let mut table = Table::new(&["client", "first connect", "reconnect", "TLS sessions resumed"]);
    let cases = [
        (STREAM, false, Some(4.0)),
        (STREAM, true, Some(5.0)),
        (PUSHER_JS, false, None),
        (PUSHER_JS, true, None),
        (PUSHER_JAVA, false, None),
        (ASYNC_PUSHER, false, None),
    ];
    for (client, tls, goal) in cases.into_iter().filter(|(client, ..)| bench.taking_part(&[*client]).len() == 1) {
        let scheme = if tls { "wss" } else { "ws" };
        let turns = match bench.turns(client, tls, client != ASYNC_PUSHER) {
            Ok(turns) => turns,
            Err(error) if client.is_peer() => {
                bench.omit(format!("{}, round trips, {scheme}: {error:#}", client.id));
                continue;
            }
            Err(error) => return Err(error),
        };
        let figure = |what: &str, value: Option<usize>| {
            value.map(|value| {
                Figure::single(format!("connect/{what}/{scheme}/{}", client.id), Unit::Count, exact(value))
            })
        };
        table.push(
            format!("{}, {scheme}", client.label),
            vec![figure("first", Some(turns.first)), figure("again", turns.again), figure("resumed", turns.resumed)],
        );
        for (what, value) in [("connect", Some(turns.first)), ("reconnect", turns.again)] {
            let Some(bound) = goal else { continue };
            let what = format!("round trips of a {what}, {scheme}");
            section.goals.push(Goal { what, value: value.map(exact), unit: Unit::Count, bound: Bound::AtMost(bound) });
        }
    }
    section.tables.push(table);
    Ok(())
}

struct Turns {
    first: usize,
    again: Option<usize>,
    resumed: Option<usize>,
}

impl Bench {
    fn turns(&self, client: Client, tls: bool, reconnects: bool) -> Result<Turns> {
        let blaster = self.blaster(tls)?;
        let authority = self.certificate.authority();
        let authority = authority.to_string_lossy();
        let environment = [("BENCH_CA", &*authority), ("NODE_EXTRA_CA_CERTS", &*authority)];
        let environment = if tls { &environment[..] } else { &[] };
        let mut proxy = self.runtime.block_on(TurnProxy::start(blaster.address()))?;
        let _running = self.programs.start_with(client, "sessions", &[proxy.port()], 1, environment)?;
        self.runtime.block_on(async {
            proxy.until_new_connection().await?;
            let first = count(&mut proxy, || blaster.acknowledged() >= 2).await?;
            if !reconnects {
                return Ok(Turns { first, again: None, resumed: None });
            }
            let resumed = blaster.resumed();
            blaster.cut();
            proxy.until_new_connection().await?;
            let again = count(&mut proxy, || blaster.acknowledged() >= 4).await?;
            let resumed = tls.then(|| blaster.resumed() - resumed);
            Ok(Turns { first, again: Some(again), resumed })
        })
    }
}

async fn count(proxy: &mut TurnProxy, is_done: impl Fn() -> bool) -> Result<usize> {
    let mut turns = 0;
    while !is_done() {
        proxy.turn().await?;
        turns += 1;
        anyhow::ensure!(turns < 30, "not subscribed after {turns} round trips");
    }
    Ok(turns)
}

fn handshakes(bench: &Bench, section: &mut Section) -> Result<()> {
    let mut table = Table::new(&["CPU of ours", "ws, http", "wss, https"]);
    let [mut plain, mut secure, mut parts] = [(); 3].map(|()| Vec::new());
    for _ in 0..bench.effort.rounds {
        plain.push(bench.connect_cpu(STREAM, false)?);
        secure.push(bench.connect_cpu(STREAM, true)?);
        parts.push(bench.connect_cpu(RUSTLS, true)?);
    }
    for (index, (label, id)) in STEPS.into_iter().enumerate() {
        table.push(label, vec![column(&plain, index, "plain", id), column(&secure, index, "tls", id)]);
    }
    section.tables.push(table);
    let mut table = Table::new(&["parts of the first request", "https"]);
    for (index, (label, id)) in PARTS.into_iter().enumerate() {
        table.push(label, vec![column(&parts, index, "tls", id)]);
    }
    section.tables.push(table);
    let what = "CPU of the first TLS handshake of a process".to_owned();
    let value = column(&parts, 1, "", "").map(|figure| figure.value);
    section.goals.push(Goal { what, value, unit: Unit::Nanoseconds, bound: Bound::AtMost(1_000_000.0) });
    Ok(())
}

fn column(runs: &[Vec<u64>], index: usize, scheme: &str, id: &str) -> Option<Figure> {
    let values = runs.iter().filter_map(|run| run.get(index)).map(|value| exact(*value));
    Figure::of(format!("connect/cpu/{scheme}/{id}"), Unit::Nanoseconds, values.collect())
}

impl Bench {
    fn connect_cpu(&self, client: Client, tls: bool) -> Result<Vec<u64>> {
        let blaster = self.blaster(tls)?;
        let authority = self.certificate.authority();
        let authority = authority.to_string_lossy();
        let environment = [("BENCH_CA", &*authority)];
        let environment = if tls { &environment[..] } else { &[] };
        let running = self.programs.start_with(client, "connect", &blaster.ports(), 1, environment)?;
        let numbers = running.numbers("cpu")?;
        running.end()?;
        Ok(numbers)
    }
}

/// What ours prints in the mode `connect`.
const STEPS: [(&str, &str); 4] = [
    ("making the TLS settings", "settings"),
    ("the first request to the API: reads the platform's root certificates, one full handshake", "first-request"),
    ("the first session, both channels: a socket and two connections for authorization", "first-session"),
    ("the second session: the same, resumed", "second-session"),
];
/// What the client `rustls` prints in the mode `connect`.
const PARTS: [(&str, &str); 3] = [
    ("reading the platform's root certificates", "roots"),
    ("the first handshake of a process, rustls with ring", "first-handshake"),
    ("for comparison: a later full handshake", "later-handshake"),
];

const METHOD: &str = "\
Round trips are counted, not timed: a proxy carries what the client has sent to the server, then what the server has \
answered back to the client, and counts these turns until both channels are acknowledged. That a connection is opened takes \
a turn before its first byte does. For a reconnect the server cuts the socket. The least possible is TCP, TLS, the upgrade, \
both authorizations at once, both subscriptions at once.";

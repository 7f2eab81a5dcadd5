use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::Bench;
use super::growth::nanos;
use super::memory::exact;
use crate::report::{Bound, Figure, Goal, Section, Table, Unit};
use crate::resources::Snapshot;
use crate::runner::{Client, PRESENCE, PUSHER_JS};

/// What presence channels cost: to subscribe to one, to keep its members, and when a member comes or goes.
pub(super) fn section(bench: &Bench) -> Result<Section> {
    let mut table = Table::new(&["client", "to subscribe to a channel", "a change of its members", "memory a channel"]);
    let mut costs = Vec::new();
    for client in bench.taking_part(&[PRESENCE, PUSHER_JS]) {
        let runs = (0..bench.effort.rounds.div_ceil(2)).map(|_| bench.presence(client)).collect::<Result<Vec<_>>>();
        let runs = match runs {
            Ok(runs) => runs,
            Err(error) if client.is_peer() => {
                bench.omit(format!("{}, presence: {error:#}", client.id));
                continue;
            }
            Err(error) => return Err(error),
        };
        let figure = |what: &str, unit, value: fn(&Cost) -> f64| {
            Figure::of(format!("presence/{what}/{}", client.id), unit, runs.iter().map(value).collect())
        };
        let subscribe = figure("subscribe", Unit::Nanoseconds, |cost| cost.subscribe);
        let change = figure("change", Unit::Nanoseconds, |cost| cost.change);
        let memory = figure("memory", Unit::Bytes, |cost| cost.bytes);
        costs.push([&subscribe, &change, &memory].map(|figure| figure.as_ref().map(|figure| figure.value)));
        table.push(client.label, vec![subscribe, change, memory]);
    }
    let title = "A thousand presence channels with a hundred members each";
    Ok(Section { title, method: METHOD.to_owned(), tables: vec![table], goals: goals(&costs), ..Section::default() })
}

fn goals(costs: &[[Option<f64>; 3]]) -> Vec<Goal> {
    let parts = ["CPU to subscribe to a presence channel", "CPU of a change of its members", "its memory"];
    let ratio = |part: usize| Some(costs.get(1)?.get(part).copied()?? / costs.first()?.get(part).copied()??);
    let goal = |(part, what): (usize, &str)| Goal {
        what: format!("{what}, pusher-js ÷ ours"),
        value: ratio(part),
        unit: Unit::Ratio,
        bound: Bound::AtLeast(1.0),
    };
    parts.into_iter().enumerate().map(goal).collect()
}

struct Cost {
    /// Nanoseconds a channel.
    subscribe: f64,
    /// Nanoseconds a change.
    change: f64,
    /// Bytes a channel.
    bytes: f64,
}

impl Bench {
    fn presence(&self, client: Client) -> Result<Cost> {
        let blaster = self.blaster(false)?;
        let alone = {
            let mut running = self.start(&blaster, client, "presence", FEW, false)?;
            self.settled_presence(client, &mut running)?
        };
        blaster.cut();
        let mut running = self.start(&blaster, client, "presence", MANY, false)?;
        let subscribed = self.settled_presence(client, &mut running)?;
        let others = exact(MANY - FEW);
        // The first blast warms up.
        let mut before = subscribed.cpu;
        let mut change = 0.0;
        for _ in 0..2 {
            self.runtime.block_on(blaster.blast_changes(MANY, CHANGES))?;
            let done = running.numbers("done")?;
            ensure!(done.first() == u64::try_from(CHANGES).ok().as_ref(), "{}: {done:?} of {CHANGES}", client.id);
            let after = Snapshot::of(running.process())?.cpu;
            change = nanos(after.saturating_sub(before)) / exact(CHANGES);
            before = after;
        }
        Ok(Cost {
            subscribe: nanos(subscribed.cpu.saturating_sub(alone.cpu)) / others,
            change,
            bytes: exact(subscribed.anonymous_bytes.saturating_sub(alone.anonymous_bytes)) / others,
        })
    }

    fn settled_presence(&self, client: Client, running: &mut crate::runner::Running) -> Result<Snapshot> {
        std::thread::sleep(Duration::from_secs(2));
        if client.is_peer() {
            running.tell("collect")?;
            ensure!(running.line()? == "collected", "no garbage collection");
        }
        Snapshot::of(running.process()).context("the client is gone")
    }
}

const FEW: usize = 100;
const MANY: usize = 1_000;
/// As many come as go.
const CHANGES: usize = 40 * MANY;

const METHOD: &str = "\
One client on 1,000 presence channels of 100 members each, less the same on 100 channels, divided by the channels between: CPU \
from the start until all are acknowledged, authorization and members read, and anonymous resident memory two seconds later. \
Then on each channel a member comes and goes, 20 times: the CPU of the process divided by the changes, of the second blast. \
Each client keeps the list of every channel and tells each change to a callback or a stream of that channel; at the end the \
lists are checked.";

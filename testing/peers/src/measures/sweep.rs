//! The saturated CPU cost of an event: a small and a large number of events, and the difference.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;

use super::Bench;
use crate::blaster::Blaster;
use crate::runner::Client;
use crate::workload::Payload;

/// The values of all rounds by the id of the client, in nanoseconds an event.
pub(super) type Costs = BTreeMap<&'static str, Vec<f64>>;

impl Bench {
    /// Runs the clients in turn (A B A B) and returns what an event costs each.
    pub(super) fn sweep(&self, clients: &[Client], payload: Payload) -> Result<Costs> {
        let blaster = self.blaster(false)?;
        let mut costs = Costs::new();
        let mut failed = Vec::new();
        for _ in 0..self.effort.rounds {
            for client in clients {
                if failed.contains(client) {
                    continue;
                }
                match self.cost(&blaster, *client, payload) {
                    Ok(cost) => costs.entry(client.id).or_default().push(cost),
                    Err(error) if client.is_peer() => {
                        self.omit(format!("{}: {error:#}", client.id));
                        failed.push(*client);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(costs)
    }

    /// The start of a process, its warming up and its end are in both runs and cancel out.
    #[expect(clippy::cast_precision_loss, reason = "far fewer events than 2^52")]
    fn cost(&self, blaster: &Blaster, client: Client, payload: Payload) -> Result<f64> {
        let large = self.effort.run.as_nanos() / u128::from(client.guess);
        let large = usize::try_from(large).unwrap_or(0).max(2_000) / 3 * 3;
        let small = large / 4 / 3 * 3;
        let (few, many) = (self.cpu(blaster, client, payload, small)?, self.cpu(blaster, client, payload, large)?);
        Ok((many.as_secs_f64() - few.as_secs_f64()) * 1e9 / (large - small) as f64)
    }

    fn cpu(&self, blaster: &Blaster, client: Client, payload: Payload, events: usize) -> Result<Duration> {
        let running = self.start(blaster, client, "events", 1, false)?;
        self.runtime.block_on(blaster.blast(payload, events))?;
        let done = running.numbers("done")?;
        let cpu = running.end()?;
        blaster.cut();
        self.check(client, &done, events);
        Ok(cpu)
    }

    /// A client that has seen other than all events is named.
    pub(super) fn check(&self, client: Client, done: &[u64], events: usize) {
        if client.counts_bytes() || done.first() == u64::try_from(events).ok().as_ref() {
            return;
        }
        let (seen, dropped) = (done.first().unwrap_or(&0), done.get(1).unwrap_or(&0));
        let id = client.id;
        self.omit(format!("{id}: of {events} events it handed on {seen}; {dropped} it reported as dropped"));
    }
}

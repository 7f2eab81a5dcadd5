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
        let large = usize::try_from(large).unwrap_or(0).max(2_400).max(4 * client.warm_up) / (4 * CHUNK) * (4 * CHUNK);
        let small = large / 4;
        let (few, many) = (self.cpu(blaster, client, payload, small)?, self.cpu(blaster, client, payload, large)?);
        Ok((many.as_secs_f64() - few.as_secs_f64()) * 1e9 / (large - small) as f64)
    }

    fn cpu(&self, blaster: &Blaster, client: Client, payload: Payload, events: usize) -> Result<Duration> {
        let running = self.start(blaster, client, if client.is_fed { "chunks" } else { "events" }, 1, false)?;
        let chunk = if client.is_fed { CHUNK } else { events };
        for _ in 0..events / chunk {
            self.runtime.block_on(blaster.blast(payload, chunk))?;
            self.check(client, &running.numbers("done")?, chunk);
        }
        let cpu = running.end()?;
        blaster.cut();
        Ok(cpu)
    }

    /// Keeps count of what a client has not handed on.
    pub(super) fn check(&self, client: Client, done: &[u64], events: usize) {
        if !client.counts_bytes() {
            let handed_on = usize::try_from(done.first().copied().unwrap_or(0)).unwrap_or(0);
            let mut tally = self.tally.borrow_mut();
            let (sent, seen) = tally.entry(client.id).or_default();
            (*sent, *seen) = (*sent + events, *seen + handed_on);
        }
    }
}

/// Far fewer events than a queue of ours holds, and far more than one read brings.
pub(super) const CHUNK: usize = 300;

//! What is measured. Each module makes one section of the report.

mod connect;
mod cpu;
mod growth;
mod memory;
mod presence;
mod session_cost;
mod size;
mod sweep;
mod trickle;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::runtime::{Builder, Runtime};

use crate::blaster::{Blaster, BlasterOptions};
use crate::certificate::Certificate;
use crate::report::{Report, Section};
use crate::resources::raise_open_files;
use crate::runner::{Client, Programs, Running};

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// How often everything is repeated.
    pub rounds: usize,
    /// How long a run of events takes, about.
    pub run: Duration,
    /// How many sessions there are at most.
    pub sessions: usize,
}

impl Effort {
    /// To see that everything works.
    pub const QUICK: Self = Self { rounds: 3, run: Duration::from_millis(300), sessions: 1_000 };
    /// For figures.
    pub const FULL: Self = Self { rounds: 5, run: Duration::from_millis(700), sessions: 8_000 };
}

/// What all measurements need.
pub struct Bench {
    runtime: Runtime,
    programs: Programs,
    effort: Effort,
    peers: bool,
    certificate: Certificate,
    open_files: u64,
    omissions: RefCell<Vec<String>>,
    /// By client: how many events were sent, and how many it has handed on.
    tally: RefCell<BTreeMap<&'static str, (usize, usize)>>,
}

type Measure = fn(&Bench) -> Result<Section>;

/// The sections by the names that `--only` takes.
const SECTIONS: [(&str, Measure); 8] = [
    ("cpu", cpu::section),
    ("trickle", trickle::section),
    ("memory", memory::section),
    ("growth", growth::section),
    ("reconnect", session_cost::section),
    ("connect", connect::section),
    ("presence", presence::section),
    ("size", size::section),
];

impl Bench {
    /// Prepares the server's side; `peers` says whether clients in other languages take part.
    ///
    /// # Errors
    /// When no runtime can be started or no certificate can be made.
    pub fn new(programs: Programs, effort: Effort, peers: bool) -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let open_files = raise_open_files(WANTED_FILES);
        let certificate = Certificate::make()?;
        let (omissions, tally) = Default::default();
        Ok(Self { runtime, programs, effort, peers, certificate, open_files, omissions, tally })
    }

    /// Measures the section called `only`, or all.
    ///
    /// # Errors
    /// When there is no such section, or ours does not get through.
    pub fn run(&self, only: Option<&str>, mut show: impl FnMut(&Section)) -> Result<Report> {
        let mut report = Report::default();
        for (name, measure) in SECTIONS.iter().filter(|(name, _)| only.is_none_or(|only| only == *name)) {
            let mut section = measure(self)?;
            section.name = name;
            section.notes.extend(self.losses());
            show(&section);
            report.sections.push(section);
        }
        if report.sections.is_empty() {
            bail!("there is no section of that name; there are {}", SECTIONS.map(|(name, _)| name).join(", "));
        }
        report.omissions = self.omissions.take();
        Ok(report)
    }

    /// Those of `clients` that take part.
    fn taking_part(&self, clients: &[Client]) -> Vec<Client> {
        let takes_part = |client: &Client| {
            let is_there = self.programs.has(*client);
            if !is_there && (self.peers || !client.is_peer()) {
                self.omit(format!("{}: it is not installed", client.id));
            }
            is_there && (self.peers || !client.is_peer())
        };
        clients.iter().copied().filter(takes_part).collect()
    }

    /// What was not handed on since the last time, in words.
    fn losses(&self) -> Vec<String> {
        let lost = self.tally.take().into_iter().filter(|(_, (sent, seen))| sent != seen);
        let loss = |(client, (sent, seen)): (&str, (usize, usize))| {
            let part = 100.0 * (memory::exact(sent) - memory::exact(seen)) / memory::exact(sent);
            format!("{client}: of {sent} events, {part:.2} % were not handed on")
        };
        lost.map(loss).collect()
    }

    fn omit(&self, what: String) {
        let mut omissions = self.omissions.borrow_mut();
        if !omissions.contains(&what) {
            omissions.push(what);
        }
    }

    fn blaster(&self, tls: bool) -> Result<Blaster> {
        let _guard = self.runtime.enter();
        Blaster::start(BlasterOptions { tls: tls.then(|| Arc::clone(&self.certificate.server)), ports: PORTS })
    }

    /// Starts a client and waits until its channels are acknowledged, two a session.
    fn start(&self, blaster: &Blaster, client: Client, mode: &str, count: usize, tls: bool) -> Result<Running> {
        let authority = self.certificate.authority();
        let authority = authority.to_string_lossy();
        let environment = [("BENCH_CA", &*authority), ("NODE_EXTRA_CA_CERTS", &*authority)];
        let environment = if tls { &environment[..] } else { &[] };
        let wanted = blaster.acknowledged() + if matches!(mode, "channels" | "presence") { count } else { 2 * count };
        let running = self.programs.start_with(client, mode, &blaster.ports(), count, environment)?;
        self.runtime.block_on(blaster.wait_acknowledged(wanted, Duration::from_secs(120)))?;
        Ok(running)
    }

    /// As many sessions as `wanted`, or as the limit of open files allows: each has one, and up to three while it
    /// connects.
    fn sessions(&self, wanted: usize, all_at_once: bool) -> usize {
        let room = usize::try_from(self.open_files).unwrap_or(usize::MAX).saturating_sub(500);
        let room = if all_at_once { room / 3 } else { room };
        if room < wanted {
            self.omit(format!("{wanted} sessions: the limit of open files allows {room}"));
        }
        wanted.min(room).min(self.effort.sessions)
    }
}

const WANTED_FILES: u64 = 65_536;
/// Enough for 8,000 sessions that each use three connections and reconnect within a minute.
const PORTS: usize = 4;

//! Runs one client of the benchmark: `peers-client NAME MODE PORT[,PORT...] [COUNT]`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use peers::clients::{Mode, Target, run};

#[expect(clippy::print_stderr, reason = "whoever runs the benchmark has to see what failed")]
fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peers-client: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (client, mode, ports, count) = match arguments.as_slice() {
        [client, mode, ports] => (client, mode, ports, None),
        [client, mode, ports, count] => (client, mode, ports, Some(count.as_str())),
        _ => bail!("usage: peers-client NAME MODE PORT[,PORT...] [COUNT]"),
    };
    run(client, Mode::parse(mode)?, &Target::parse(ports, count)?)
}

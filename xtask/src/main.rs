//! Tasks of this workspace. `cargo xtask` without a task lists them.

mod bench;
mod ci;
mod claims;
mod process;
mod test;
mod tools;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::process::say;

const USAGE: &str = "\
cargo xtask TASK

  setup   install what the tests need into .tools/ and the folders node_modules/ of testing/e2e/
  test    setup, then every test of the workspace
  ci      format, lints, documentation, dependency policy, spelling, claims, size, then test
  claims  every fault is in a test or in DEVIATIONS.md, and every test that README or SPEC names exists
  bench   what ours costs beside other clients, into docs/performance.md: bench [--quick] [--only NAME] [--no-peers]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    if let Some((task, arguments)) = arguments.split_first()
        && task == "bench"
    {
        return bench::run(arguments);
    }
    let [task] = arguments else { bail!("name one task\n\n{USAGE}") };
    match task.as_str() {
        "setup" => test::set_up(),
        "test" => test::run(),
        "ci" => ci::run(),
        "claims" => claims::check(),
        other => bail!("there is no task {other}\n\n{USAGE}"),
    }
}

//! `cargo xtask test`: every test of the workspace, with the servers they need.

use anyhow::Result;

use crate::process::{self, cargo};
use crate::tools;

/// Installs what the tests need and the machine does not have yet.
pub(crate) fn set_up() -> Result<()> {
    tools::install_npm_packages()?;
    tools::install_pusher_python()?;
    tools::SOCKUDO.install()?;
    Ok(())
}

/// Runs the doc-tests, then all other tests.
pub(crate) fn run() -> Result<()> {
    set_up()?;
    process::run(cargo("test").args(["--workspace", "--doc"]))?;
    // A test runs them; with `--all-targets` they are built as tests, which they are not.
    process::run(cargo("build").args(["--workspace", "--examples"]))?;
    process::run(cargo("test").args(["--workspace", "--all-targets", "--no-fail-fast"]))
}

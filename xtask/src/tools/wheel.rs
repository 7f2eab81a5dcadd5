//! The spelling checker, which `PyPI` has ready to run for most platforms.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::{compiled, install};
use crate::process::{command, run, say};

/// `typos.toml` holds its exceptions.
const TYPOS: &str = "1.52.0";

/// Installs typos: as the binary that `PyPI` has, in seconds, and compiled where there is no pip or no binary for this platform.
pub(crate) fn install_typos() -> Result<PathBuf> {
    install(&format!("typos-{TYPOS}"), "typos", |home| {
        for python in ["python3", "python"] {
            say(&format!("installing typos {TYPOS} into .tools/"));
            match run(&mut download(python, home)) {
                Ok(()) => return Ok(()),
                Err(error) => say(&format!("{error:#}")),
            }
        }
        compiled::typos(TYPOS).build(home)
    })
}

fn download(python: &str, home: &Path) -> Command {
    let mut pip = command(python);
    pip.env("PIP_ROOT_USER_ACTION", "ignore").args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    pip.args(["--no-deps", "--only-binary=:all:", "--target"]).arg(home).arg(format!("typos=={TYPOS}"));
    pip
}

//! Python's server library of Pusher.

use std::fs;

use anyhow::{Context, Result, bail};

use super::remove;
use crate::process::{command, run};
use crate::workspace;

/// Installs the library and what it needs, as `requirements.txt` pins it, into `.tools/pusher-python/`.
pub(crate) fn install_pusher_python() -> Result<()> {
    let pinned = workspace::root().join("testing/e2e/pusher-python/requirements.txt");
    let home = workspace::root().join(".tools/pusher-python");
    let wanted = fs::read(&pinned).context("cannot read requirements.txt")?;
    let stamp = home.join(".installed");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let python = require_python()?;
    remove(&home)?;
    let mut pip = command(python);
    pip.env("PIP_ROOT_USER_ACTION", "ignore").args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    pip.args(["--no-deps", "--only-binary=:all:", "--target"]).arg(&home).arg("--requirement").arg(&pinned);
    run(&mut pip)?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

/// The name of the Python that is installed, with pip.
pub(crate) fn require_python() -> Result<&'static str> {
    let has_pip = |python: &&str| {
        command(python).args(["-m", "pip", "--version"]).output().is_ok_and(|output| output.status.success())
    };
    let Some(python) = PYTHONS.into_iter().find(has_pip) else {
        bail!(
            "`python3` with pip is missing: the test of Python's Pusher library needs Python 3.9 or newer \
             (Debian: apt-get install python3-pip; macOS: brew install python)"
        );
    };
    Ok(python)
}

/// The names under which it may be installed; the test looks for them in the same order.
const PYTHONS: [&str; 2] = ["python3", "python"];

//! pusher-js and the server library of Pusher, and the Node.js that runs them.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::process::{command, run};
use crate::workspace;

/// Installs what each `package-lock.json` pins, beside the script that uses it.
pub(crate) fn install_npm_packages() -> Result<()> {
    ["pusher-js", "pusher-node"].into_iter().try_for_each(install)
}

fn install(folder: &str) -> Result<()> {
    let home = workspace::root().join("testing/e2e").join(folder);
    let lock = fs::read(home.join("package-lock.json")).context("cannot read package-lock.json")?;
    let stamp = home.join("node_modules/.installed");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    require_node()?;
    run(command("npm").current_dir(&home).args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]))?;
    fs::write(&stamp, lock).with_context(|| format!("cannot write {}", stamp.display()))
}

/// Says what is missing before anything else is built.
pub(crate) fn require_node() -> Result<()> {
    for program in ["node", "npm"] {
        let found = command(program).arg("--version").output().is_ok_and(|output| output.status.success());
        if !found {
            bail!(
                "`{program}` is missing: the tests with pusher-js and with Pusher's server library need Node.js 18 or newer with npm \
                 (Debian: apt-get install nodejs npm; macOS: brew install node)"
            );
        }
    }
    Ok(())
}

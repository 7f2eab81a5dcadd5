//! `cargo xtask bench`: ours beside its peers, on this machine.

mod install;

use std::path::Path;

use anyhow::{Result, bail};

use crate::process::{self, cargo, command};
use crate::workspace;

/// Builds what is measured, installs the peers, and measures.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let is_set = |name: &str| arguments.iter().any(|argument| argument == name);
    let takes_value = |index: usize| index > 0 && arguments.get(index - 1).is_some_and(|before| before == "--only");
    for (index, argument) in arguments.iter().enumerate() {
        if !FLAGS.contains(&argument.as_str()) && !takes_value(index) {
            bail!("bench has no argument {argument}: there are {}", FLAGS.join(", "));
        }
    }
    process::run(cargo().args([
        "build",
        "--release",
        "--locked",
        "--package",
        "peers",
        "--package",
        "vms-pusher-cli",
    ]))?;
    build_minimal()?;
    if !is_set("--no-peers") {
        install::peers();
    }
    let mut peers = command(&target().join("release/peers").to_string_lossy());
    peers.args(arguments);
    let is_whole = !is_set("--quick") && !is_set("--no-peers") && !is_set("--only");
    process::run(if is_whole { peers.arg("--write") } else { &mut peers })
}

/// Builds the program whose size is measured.
pub(crate) fn build_minimal() -> Result<()> {
    process::run(cargo().args(["build", "--profile", "size", "--locked", "--package", "peers-minimal"]))
}

fn target() -> std::path::PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace::root().join("target"), |folder| Path::new(&folder).into())
}

const FLAGS: [&str; 3] = ["--quick", "--only", "--no-peers"];

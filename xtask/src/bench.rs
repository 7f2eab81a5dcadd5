//! `cargo xtask bench`: ours beside its peers, on this machine.

mod install;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{self, cargo, command, say};
use crate::workspace;

/// Builds what is measured, installs the peers, and measures.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    if let [flag, reason] = arguments
        && flag == COUNT_INSTRUCTIONS
    {
        build_guard()?;
        return process::run(guard().args(["write", reason]));
    }
    let is_set = |name: &str| arguments.iter().any(|argument| argument == name);
    let takes_value = |index: usize| index > 0 && arguments.get(index - 1).is_some_and(|before| before == "--only");
    for (index, argument) in arguments.iter().enumerate() {
        if !FLAGS.contains(&argument.as_str()) && !takes_value(index) {
            bail!("bench has no argument {argument}: there are {}", FLAGS.join(", "));
        }
    }
    process::run(cargo("build").args(["--release", "--package", "peers", "--package", "vms-pusher-cli"]))?;
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
fn build_minimal() -> Result<()> {
    process::run(cargo("build").args(["--profile", "size", "--package", "peers-minimal"]))
}

/// What a change must pass: the instruction counts that are committed, where there is valgrind, and the size of a client.
pub(crate) fn check() -> Result<()> {
    build_minimal()?;
    let minimal = target().join("size/peers-minimal");
    let size = fs::metadata(&minimal).with_context(|| format!("cannot look at {}", minimal.display()))?.len();
    if size > SIZE_BUDGET {
        bail!("a program that is nothing but a client has {size} bytes, more than {SIZE_BUDGET}");
    }
    say(&format!("size: {size} bytes of {SIZE_BUDGET}"));
    if !command("valgrind").arg("--version").output().is_ok_and(|output| output.status.success()) {
        say("instructions: skipped: valgrind is not installed");
        return Ok(());
    }
    build_guard()?;
    process::run(guard().arg("check"))
}

fn build_guard() -> Result<()> {
    process::run(cargo("build").args(["--release", "--package", "peers"]))
}

fn guard() -> Command {
    command(&target().join("release/peers-guard").to_string_lossy())
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace::root().join("target"), |folder| Path::new(&folder).into())
}

const FLAGS: [&str; 3] = ["--quick", "--only", "--no-peers"];
/// Counts the instructions anew; what follows is why they are to change.
const COUNT_INSTRUCTIONS: &str = "--count-instructions";
/// Bytes of a stripped program with TLS, authorization and typed events: opt-level s, fat LTO, unwinding. It is what there
/// is and a little; the goal is 1,900,000.
const SIZE_BUDGET: u64 = 3_170_000;

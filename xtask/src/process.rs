//! Commands, each shown before it runs.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::workspace;

/// Writes a line of progress to stderr: stdout belongs to the commands that run.
#[expect(clippy::print_stderr, reason = "the one place where this program writes")]
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}

/// A command of the cargo that runs this program. It fails when `Cargo.lock` is out of date, and never rewrites it.
pub(crate) fn cargo(subcommand: &str) -> Command {
    let mut command = command(&program());
    command.args([subcommand, "--locked"]);
    command
}

/// `cargo fmt`, which resolves no dependencies and does not know `--locked`.
pub(crate) fn cargo_fmt() -> Command {
    let mut command = command(&program());
    command.arg("fmt");
    command
}

fn program() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// A command that starts in the root of the workspace.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(workspace::root());
    command
}

/// Shows and runs a command; a failure names it.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = display(command);
    say(&format!("==> {shown}"));
    let status = command.status().with_context(|| format!("cannot start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed: {status}");
    }
    Ok(())
}

fn display(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let mut words: Vec<String> = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}={:?}", name.to_string_lossy(), value?.to_string_lossy())))
        .collect();
    words.push(program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned());
    words.extend(command.get_args().map(|argument| argument.to_string_lossy().into_owned()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Stdio;

    use super::*;

    #[test]
    fn a_failed_command_is_named_with_its_arguments() {
        let error = run(cargo("no-such-subcommand").arg("word").stderr(Stdio::null())).unwrap_err();

        assert!(error.to_string().contains("cargo no-such-subcommand --locked word` failed"), "{error}");
    }

    #[test]
    fn a_command_that_is_not_there_is_named() {
        let error = run(&mut command("no-such-program")).unwrap_err();

        assert!(error.to_string().contains("cannot start `no-such-program`"), "{error}");
    }
    #[test]
    fn the_alias_fails_on_a_stale_lock_file_and_leaves_it_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let stale = "version = 4\n\n[[package]]\nname = \"xtask\"\nversion = \"0.1.0\"\n";
        let package = "[package]\nname = \"xtask\"\nversion = \"0.2.0\"\nedition = \"2024\"\n";
        for name in ["src", ".cargo"] {
            fs::create_dir(file(name)).unwrap();
        }
        fs::write(file("src/main.rs"), "fn main() {}").unwrap();
        fs::write(file("Cargo.toml"), package).unwrap();
        fs::write(file("Cargo.lock"), stale).unwrap();
        fs::copy(workspace::root().join(".cargo/config.toml"), file(".cargo/config.toml")).unwrap();

        let mut xtask = command(&program());
        xtask.current_dir(folder.path()).env("CARGO_TARGET_DIR", file("target")).arg("xtask");
        let output = xtask.output().unwrap();

        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && complaint.contains("--locked"), "{complaint}");
        assert_eq!(fs::read_to_string(file("Cargo.lock")).unwrap(), stale);
    }
}

//! Commands, each shown before it runs.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::workspace;

/// Writes a line of progress to stderr: stdout belongs to the commands that run.
#[expect(clippy::print_stderr, reason = "the one place where this program writes")]
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}

/// The cargo that runs this program.
pub(crate) fn cargo() -> Command {
    command(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
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
    use std::process::Stdio;

    use super::*;

    #[test]
    fn a_failed_command_is_named_with_its_arguments() {
        let error = run(cargo().arg("no-such-subcommand").stderr(Stdio::null())).unwrap_err();

        assert!(error.to_string().contains("cargo no-such-subcommand` failed"), "{error}");
    }

    #[test]
    fn a_command_that_is_not_there_is_named() {
        let error = run(&mut command("no-such-program")).unwrap_err();

        assert!(error.to_string().contains("cannot start `no-such-program`"), "{error}");
    }
}

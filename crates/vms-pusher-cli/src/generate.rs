//! What is made from the command line's own description: completions and manual pages.

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;

use crate::{
    args::Cli,
    failure::{Exit, Failure},
};

/// Returns the completion script for a shell.
pub(crate) fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "vms-pusher", &mut script);
    script
}

/// Returns the manual page of a command, or of the program.
pub(crate) fn man(name: Option<&str>) -> Result<Vec<u8>, Failure> {
    let mut program = Cli::command();
    program.build();
    let command = match name {
        None => program,
        Some(name) => program.find_subcommand(name).cloned().ok_or_else(|| unknown(&program, name))?,
    };
    let mut page = Vec::new();
    let made = clap_mangen::Man::new(command).render(&mut page);
    made.map(|()| page).map_err(|error| Failure::new(Exit::Other, error))
}

fn unknown(program: &Command, name: &str) -> Failure {
    let names: Vec<_> = program.get_subcommands().map(Command::get_name).collect();
    Failure::usage(format!("there is no command `{name}`")).tip(format!("there are {}", names.join(", ")))
}

//! What is generated from the definition of the command line: shell completions and man pages.

use std::io;

use clap::{Command, CommandFactory as _, builder::PossibleValue};
use clap_complete::Shell;

use crate::{
    args::Cli,
    failure::{Exit, Failure},
    output::escape,
};

/// Returns the completion script for a shell.
pub(crate) fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "vms-pusher", &mut script);
    if shell == Shell::Bash {
        script = mend_bash(&script);
    } else if shell == Shell::Fish {
        script.extend(values_for_fish().bytes());
    }
    script
}

/// The generator leaves out what an argument without a name may be.
fn values_for_fish() -> String {
    let mut lines = String::new();
    for command in Cli::command().get_subcommands() {
        for argument in command.get_positionals() {
            let values = argument.get_possible_values();
            let values: Vec<_> =
                values.iter().filter(|value| !value.is_hide_set()).map(PossibleValue::get_name).collect();
            if !values.is_empty() {
                let (name, values) = (command.get_name(), values.join(" "));
                lines.push_str(&format!(
                    "complete -c vms-pusher -n \"__fish_vms_pusher_using_subcommand {name}\" -f -a \"{values}\"\n"
                ));
            }
        }
    }
    lines
}

/// The generator calls a program with a hyphen in its name by two names: it notes one while it reads the line, and looks for
/// the other when it completes, so that nothing was completed behind a subcommand.
fn mend_bash(script: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(script).replace("vms__subcmd__pusher", "vms__pusher").into_bytes()
}

/// Returns the man page of a command, or of the program.
pub(crate) fn man(name: Option<&str>) -> Result<Vec<u8>, Failure> {
    let mut program = Cli::command();
    program.build();
    let command = match name {
        None => program,
        Some(name) => program.find_subcommand(name).cloned().ok_or_else(|| unknown(&program, name))?,
    };
    let mut page = Vec::new();
    render(&command, &mut page).map_err(|error| Failure::new(Exit::Other, error))?;
    Ok(page)
}

fn render(command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    let source = concat!("vms-pusher ", env!("CARGO_PKG_VERSION"));
    let man = clap_mangen::Man::new(command.clone()).source(source).manual("VMS events");
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    if command.get_arguments().any(|argument| !argument.is_hide_set()) {
        man.render_options_section(page)?;
    }
    if command.has_subcommands() {
        man.render_subcommands_section(page)?;
    }
    let notes = command.get_after_long_help().or_else(|| command.get_after_help());
    let notes = notes.map(ToString::to_string).unwrap_or_default();
    if !notes.is_empty() {
        page.extend(b".SH NOTES\n");
        page.extend(roff(&notes).bytes());
    }
    Ok(())
}

/// Plain text as roff: paragraphs are filled, lines that are set in stay as they are.
fn roff(text: &str) -> String {
    let mut roff = String::new();
    let mut as_it_is = false;
    for line in text.lines() {
        if line.starts_with(' ') != as_it_is && !line.is_empty() {
            as_it_is = !as_it_is;
            roff.push_str(if as_it_is { ".nf\n" } else { ".fi\n" });
        }
        if line.is_empty() {
            roff.push_str(".PP");
        }
        if line.starts_with(['.', '\'']) {
            roff.push_str("\\&");
        }
        roff.push_str(&line.replace('\\', "\\e").replace('-', "\\-"));
        roff.push('\n');
    }
    roff
}

fn unknown(program: &Command, name: &str) -> Failure {
    let names: Vec<_> = program.get_subcommands().map(Command::get_name).collect();
    Failure::usage(format!("there is no command `{}`", escape::line(name)))
        .tip(format!("the commands are {}", names.join(", ")))
}

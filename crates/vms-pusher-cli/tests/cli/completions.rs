//! The completion scripts, in the shells that they are for. bash has to be there; the others are tried where they are
//! installed, and the output of the test says where they are not (`cargo test -- --nocapture`).

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    generated::COMMANDS,
    support::{Finished, finish, run},
};

/// Command lines that end in the middle of a word, and the one word that it can become.
const CASES: [(&str, &str); 10] = [
    ("li", "listen"),
    ("--col", "--color"),
    ("demo --pro", "--profile"),
    ("demo --profile re", "reverb"),
    ("listen --allow", "--allow-insecure-socket"),
    ("listen --json --tok", "--token-file"),
    ("push mark_c", "mark_created"),
    ("push intercom.code.st", "intercom.code.store"),
    ("sandbox --sc", "--scenario"),
    ("completions fi", "fish"),
];

/// A file with the script of a shell.
fn script(shell: &str, name: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, run(&["completions", shell]).expect(0).stdout).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

#[expect(clippy::print_stdout, reason = "whoever reads the output of the test wants to know what was tried")]
fn is_installed(shell: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = std::env::split_paths(&path).any(|folder| folder.join(shell).is_file());
    println!("{shell}: {}", if is_there { "its completions are tried" } else { "not installed, so not tried" });
    is_there
}

#[track_caller]
fn ask(command: &mut Command) -> Finished {
    finish(command.stdin(Stdio::null())).expect(0)
}

/// What bash offers for the last word.
#[track_caller]
fn bash(script: &str, line: &str) -> Vec<String> {
    let mut command = Command::new("bash");
    command.args(["--norc", "--noprofile", "-c", BASH, "bash", script, "vms-pusher"]).args(line.split(' '));
    ask(&mut command).stdout.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_behind_every_subcommand() {
    let (_folder, script) = script("bash", "vms-pusher.bash");
    for (line, word) in CASES {
        assert_eq!(bash(&script, line), [word], "{line}");
    }
    for command in COMMANDS {
        assert_eq!(bash(&script, &format!("{command} --hel")), ["--help"], "{command}");
        assert!(bash(&script, "help ").iter().any(|word| word == command), "{command}");
    }
    assert!(bash(&script, "push ").iter().any(|word| word == "mark_created"));
}

#[test]
fn fish_completes_behind_every_subcommand_where_it_is_installed() {
    if !is_installed("fish") {
        return;
    }
    let (_folder, script) = script("fish", "vms-pusher.fish");
    let fish = |line: &str| -> Vec<String> {
        let home = Path::new(&script).parent().unwrap();
        let ask_for = format!("source {script}; complete --do-complete 'vms-pusher {line}'");
        let asked = ask(Command::new("fish").args(["--no-config", "-c", &ask_for]).env("HOME", home));
        // The word, a tab, and what it is.
        asked.stdout.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
    };
    for (line, word) in CASES {
        assert_eq!(fish(line), [word], "{line}");
    }
    for command in COMMANDS {
        assert_eq!(fish(&format!("{command} --hel")), ["--help"], "{command}");
    }
}

#[test]
fn zsh_completes_behind_every_subcommand_where_it_is_installed() {
    if !is_installed("zsh") {
        return;
    }
    let (folder, _script) = script("zsh", "_vms-pusher");
    let zsh = |line: &str, word: &str| {
        // What was typed is on the screen already; the shell completes the rest of the word and goes on to the next.
        let typed = line.rsplit(' ').next().unwrap_or_default();
        let rest = word.strip_prefix(typed).unwrap();
        let mut command = Command::new("zsh");
        command.args(["-f", "-c", ZSH, "zsh", folder.path().to_str().unwrap(), &format!("vms-pusher {line}"), rest]);
        ask(&mut command);
    };
    for (line, word) in CASES {
        zsh(line, word);
    }
    for command in COMMANDS {
        zsh(&format!("{command} --hel"), "--help");
    }
}

/// Loads the script and completes the last argument, as bash does when a person presses the key.
const BASH: &str = r#"
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
registered=$(complete -p vms-pusher); registered=${registered#*-F }
"${registered%% *}" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"#;

/// Types a command line and the key into a shell at a terminal of its own, and waits for the rest of the word. Only a shell
/// that edits a line completes.
const ZSH: &str = r#"
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=; fpath=(${(q)1} \$fpath); autoload -Uz compinit; compinit -D -u; echo rea''dy"
zpty -r shell seen '*ready*'
zpty -w -n shell "$2"$'\t'
zpty -r shell seen "*${(b)3}*"
zpty -d shell
"#;

use std::process::Stdio;

use crate::support::{finish, run, vms_pusher, wait};

pub(crate) const COMMANDS: [&str; 11] =
    ["demo", "listen", "sandbox", "push", "cut", "logout", "expire", "fault", "state", "completions", "man"];

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(&["completions", shell]).expect(0).stdout;
        for part in ["vms-pusher", "listen", "allow-insecure-socket"] {
            assert!(script.contains(part), "{shell}: {part}");
        }
        assert!(!script.contains("--password") && !script.contains("-l password"), "{shell} offers what is refused");
        // The others do not complete every value.
        if ["bash", "zsh"].contains(&shell) {
            assert!(script.contains("intercom_key_confirmed") && script.contains("mark_created"), "{shell}");
        }
    }
    run(&["completions", "cmd"]).expect(2);
}

#[test]
fn every_command_has_a_manual_page() {
    let page = run(&["man"]).expect(0).stdout;
    assert!(page.contains(".TH vms-pusher 1"), "{page}");
    for command in COMMANDS {
        let named = format!(r"vms\-pusher\-{command}(1)");
        assert!(page.contains(&named), "{named} is missing:\n{page}");
        let page = run(&["man", command]).expect(0).stdout;
        assert!(page.contains(&format!(".TH vms-pusher-{command} 1")), "{page}");
        assert!(page.contains(".SH DESCRIPTION"), "{page}");
    }
    let listen = run(&["man", "listen"]).expect(0).stdout;
    for part in [r"\-\-token\-file", "SIGTERM", "Exit codes:", "resync_needed", "intercom_key_confirmed"] {
        assert!(listen.contains(part), "{part} is missing:\n{listen}");
    }
    run(&["man", "nothing"]).expect(2).says(&["nothing", "listen"]);
}

#[test]
fn the_help_documents_the_exit_codes() {
    for arguments in [vec!["--help"], vec!["listen", "--help"], vec!["demo", "--help"], vec!["push", "--help"]] {
        let help = run(&arguments).expect(0);
        for code in ["  0 ", "  1 ", "  2 ", "  3 ", "  4 ", "  5 ", "  6 ", "  130 "] {
            assert!(help.stdout.contains(code), "{arguments:?}: {code}:\n{}", help.stdout);
        }
        assert_eq!(help.stderr, "");
    }
}

#[test]
fn the_help_says_what_is_so() {
    let words = |help: String| help.split_whitespace().collect::<Vec<_>>().join(" ");
    let help = words(run(&["listen", "--help"]).expect(0).stdout);
    for part in [
        "the payload as the server sent it to the line of every event; needs --json",
        "With --json, everything goes to stdout, one object per line; a failure goes to stderr as well.",
    ] {
        assert!(help.contains(part), "{part}:\n{help}");
    }
    // The names of the library's functions and fields mean nothing here.
    for command in COMMANDS {
        let help = run(&[command, "--help"]).expect(0).stdout;
        for term in ["connect()", "base_url", "socket_url", "app_key", "max_message_bytes", "access_token_id"] {
            assert!(!help.contains(term), "{command}: {term}:\n{help}");
        }
    }
}

#[test]
fn nothing_to_do_is_an_error_with_the_help_on_stderr() {
    let done = run(&[]).expect(2);
    assert_eq!(done.stdout, "");
    assert!(done.stderr.contains("vms-pusher demo"), "{}", done.stderr);
}

#[test]
fn the_version_is_the_crates() {
    assert_eq!(run(&["--version"]).expect(0).stdout, format!("vms-pusher {}\n", env!("CARGO_PKG_VERSION")));
}

// A reader who is gone before anything is written.
#[test]
fn a_broken_pipe_ends_every_command_quietly() {
    for arguments in [
        vec!["--help"],
        vec!["man", "listen"],
        vec!["completions", "bash"],
        vec!["push", "--list"],
        vec!["demo", "--for", "1s"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = vms_pusher(&arguments);
        command.stdout(Stdio::from(writer)).stderr(Stdio::piped());
        let done = wait(command.spawn().unwrap());
        assert_eq!(done.status.code(), Some(0), "{arguments:?}");
        assert_eq!(String::from_utf8_lossy(&done.stderr), "", "{arguments:?}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    if let Ok(full) = std::fs::File::options().write(true).open("/dev/full") {
        let mut command = vms_pusher(&["push", "--list"]);
        let done = wait(command.stdout(full).stderr(Stdio::piped()).spawn().unwrap());
        assert_eq!(done.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&done.stderr).contains("cannot write the output"));
    }
    finish(&mut vms_pusher(&["push", "--list"])).expect(0);
}

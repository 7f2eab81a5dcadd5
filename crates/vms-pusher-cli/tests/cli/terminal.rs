//! The prompt for a password, at a terminal.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    os::{fd::OwnedFd, unix::process::CommandExt as _},
    process::{Child, Stdio},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, Signal, WaitOptions, kill_process, waitpid},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, tcgetattr},
};

use crate::{
    secrets::{CANARY, desk_with_a_password},
    support::{Desk, PATIENCE, vms_pusher, wait},
};

/// A terminal with a person at one end and the program at the other.
struct Terminal {
    person: File,
    program: OwnedFd,
    seen: String,
}

impl Terminal {
    fn new() -> Self {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let path = ptsname(&person, Vec::new()).unwrap();
        let program = File::options().read(true).write(true).open(path.to_str().unwrap()).unwrap();
        Self { person: File::from(person), program: program.into(), seen: String::new() }
    }

    /// A login at this terminal, as a job of its own.
    fn login(&self, base_url: &str) -> Child {
        let mut listen = vms_pusher(&["listen", "--base-url", base_url, "--login", "anna"]);
        listen.process_group(0);
        listen.stdin(self.program.try_clone().unwrap()).stderr(self.program.try_clone().unwrap());
        listen.stdout(Stdio::null()).spawn().unwrap()
    }

    fn echoes(&self) -> bool {
        tcgetattr(&self.program).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    fn type_in(&mut self, text: &str) {
        self.person.write_all(text.as_bytes()).unwrap();
    }

    /// Waits until the person sees this.
    #[track_caller]
    fn wait_for(&mut self, part: &str) {
        let patience = Timespec::try_from(PATIENCE).unwrap();
        let mut buffer = [0; 1024];
        while !self.seen.contains(part) {
            let ready = poll(&mut [PollFd::new(&self.person, PollFlags::IN)], Some(&patience)).unwrap();
            assert_eq!(ready, 1, "{part:?} does not come after:\n{}", self.seen);
            let length = self.person.read(&mut buffer).unwrap();
            self.seen.push_str(&String::from_utf8_lossy(&buffer[..length]));
        }
    }
}

#[test]
fn a_login_prompts_on_a_terminal_without_echo() {
    let desk = desk_with_a_password();
    let mut terminal = Terminal::new();
    assert!(terminal.echoes());
    let listen = terminal.login(&desk.sandbox.base_url());
    terminal.wait_for("Password for anna: ");
    assert!(!terminal.echoes(), "the echo is off before anything is asked for");
    // A slip that is taken back, as on any terminal.
    terminal.type_in(&format!("{CANARY}é\u{7f}\n"));
    terminal.wait_for("user channel subscribed");
    assert!(!terminal.seen.contains(CANARY), "{}", terminal.seen);
    assert!(terminal.echoes(), "the echo is on again");
    kill_process(Pid::from_child(&listen), Signal::TERM).unwrap();
    assert_eq!(wait(listen).status.code(), Some(0));
}

#[test]
fn ctrl_c_at_the_prompt_ends_it_and_turns_the_echo_on_again() {
    let mut terminal = Terminal::new();
    let listen = terminal.login("http://127.0.0.1:1");
    terminal.wait_for("Password for anna: ");
    terminal.type_in("abc\x03");
    assert_eq!(wait(listen).status.code(), Some(130));
    assert!(terminal.echoes());
}

#[test]
fn a_signal_at_the_prompt_ends_it_and_turns_the_echo_on_again() {
    for (signal, code) in [(Signal::TERM, 0), (Signal::INT, 130)] {
        let mut terminal = Terminal::new();
        let listen = terminal.login("http://127.0.0.1:1");
        terminal.wait_for("Password for anna: ");
        assert!(!terminal.echoes());
        kill_process(Pid::from_child(&listen), signal).unwrap();
        assert_eq!(wait(listen).status.code(), Some(code));
        assert!(terminal.echoes());
    }
}

#[test]
fn ctrl_z_at_the_prompt_suspends_it_with_the_echo_on_and_it_asks_anew() {
    let desk = desk_with_a_password();
    let mut terminal = Terminal::new();
    let listen = terminal.login(&desk.sandbox.base_url());
    terminal.wait_for("Password for anna: ");
    terminal.type_in("typed before\x1a");
    wait_until_stopped(&desk, &listen);
    assert!(terminal.echoes(), "the echo is on while it is suspended");
    terminal.seen.clear();
    kill_process(Pid::from_child(&listen), Signal::CONT).unwrap();
    terminal.wait_for("Password for anna: ");
    assert!(!terminal.echoes());
    terminal.type_in(&format!("{CANARY}\n"));
    terminal.wait_for("user channel subscribed");
    kill_process(Pid::from_child(&listen), Signal::TERM).unwrap();
    assert_eq!(wait(listen).status.code(), Some(0));
}

#[track_caller]
fn wait_until_stopped(desk: &Desk, child: &Child) {
    let options = WaitOptions::UNTRACED | WaitOptions::NOHANG;
    let stopped = async {
        while !waitpid(Some(Pid::from_child(child)), options).unwrap().is_some_and(|(_, status)| status.stopped()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    desk.block_on(async { tokio::time::timeout(PATIENCE, stopped).await }).expect("it is suspended");
}

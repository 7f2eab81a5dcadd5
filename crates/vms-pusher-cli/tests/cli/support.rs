//! A VMS inside the test, and the program as a process whose output is waited for.

use std::{
    io::{BufRead as _, BufReader, Read, Write as _},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Condvar, Mutex, mpsc::RecvTimeoutError},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::runtime::Runtime;
use vms_sandbox::{Push, Sandbox, SandboxConfig, Session, Target};

/// Longer than anything takes that works.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// The program with these arguments, and nothing of the environment that could matter to it.
pub(crate) fn vms_pusher(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vms-pusher"));
    for name in ["VMS_TOKEN", "VMS_PASSWORD", "VMS_BASE_URL", "VMS_SANDBOX", "NO_COLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    /// Fails unless it ended with this code, and returns it.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Fails unless stderr says all of these.
    #[track_caller]
    pub(crate) fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "{part:?} is not in:\n{}", self.stderr);
        }
        self
    }
}

/// Runs a command to its end.
#[track_caller]
pub(crate) fn finish(command: &mut Command) -> Finished {
    Running::start(command).finish()
}

/// Runs the program to its end.
#[track_caller]
pub(crate) fn run(arguments: &[&str]) -> Finished {
    finish(&mut vms_pusher(arguments))
}

/// Waits for a program whose output the test reads, or does not read, by itself; one that does not end is killed.
pub(crate) fn wait(child: Child) -> Output {
    let pid = Pid::from_child(&child);
    let (done, waiting) = std::sync::mpsc::sync_channel::<()>(1);
    let watchdog = thread::spawn(move || {
        if waiting.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            let _ = kill_process(pid, Signal::KILL);
        }
    });
    let output = child.wait_with_output().unwrap();
    drop(done);
    watchdog.join().unwrap();
    output
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    Stderr,
    Stdout,
}

/// A program at work; it is killed when the test ends before it does.
pub(crate) struct Running {
    child: Child,
    heard: Arc<Heard>,
}

#[derive(Default)]
struct Heard {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    stdout: String,
    stderr: String,
    ended: usize,
}

impl State {
    fn text(&self, from: From) -> &str {
        if from == From::Stdout { &self.stdout } else { &self.stderr }
    }
}

impl Running {
    #[track_caller]
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let heard = Arc::new(Heard::default());
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        listen_to(stdout, From::Stdout, &heard);
        listen_to(stderr, From::Stderr, &heard);
        Self { child, heard }
    }

    /// Waits for a line that holds all of these, and returns it. It may be one that has come before.
    #[track_caller]
    pub(crate) fn wait_for(&self, from: From, parts: &[&str]) -> String {
        self.wait_for_behind(0, from, parts)
    }

    /// How many bytes have come so far.
    pub(crate) fn length(&self, from: From) -> usize {
        self.heard.state.lock().unwrap().text(from).len()
    }

    /// Waits for a line behind that many bytes that holds all of these, and returns it.
    #[track_caller]
    pub(crate) fn wait_for_behind(&self, length: usize, from: From, parts: &[&str]) -> String {
        let find = |state: &State| {
            let text = &state.text(from)[length..];
            let is_it = |line: &&str| parts.iter().all(|part| line.contains(part));
            text.split_inclusive('\n').filter(|line| line.ends_with('\n')).find(is_it).map(str::to_owned)
        };
        let state = self.heard.state.lock().unwrap();
        let waiting = |state: &mut State| find(state).is_none() && state.ended < 2;
        let (state, _) = self.heard.changed.wait_timeout_while(state, PATIENCE, waiting).unwrap();
        let (found, stdout, stderr) = (find(&state), state.stdout.clone(), state.stderr.clone());
        drop(state);
        found.unwrap_or_else(|| panic!("no line with {parts:?}\nstdout:\n{stdout}\nstderr:\n{stderr}"))
    }

    /// Waits until stdout has this many lines, and returns them.
    #[track_caller]
    pub(crate) fn wait_for_lines(&self, wanted: usize, counts: impl Fn(&str) -> bool) -> Vec<String> {
        let lines = |state: &State| -> Vec<String> {
            let complete = state.stdout.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            complete.filter(|line| counts(line)).map(str::to_owned).collect()
        };
        let state = self.heard.state.lock().unwrap();
        let waiting = |state: &mut State| lines(state).len() < wanted && state.ended < 2;
        let (state, _) = self.heard.changed.wait_timeout_while(state, PATIENCE, waiting).unwrap();
        let (found, stdout, stderr) = (lines(&state), state.stdout.clone(), state.stderr.clone());
        drop(state);
        assert!(found.len() >= wanted, "{} lines of {wanted}:\n{stdout}\n{stderr}", found.len());
        found
    }

    pub(crate) fn type_in(&mut self, text: &str) {
        let mut stdin = self.child.stdin.take().unwrap();
        stdin.write_all(text.as_bytes()).unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub(crate) fn interrupt(self) -> Finished {
        self.signal(Signal::INT);
        self.finish()
    }

    /// Waits for the program to end.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Finished {
        let state = self.heard.state.lock().unwrap();
        let (state, waited) = self.heard.changed.wait_timeout_while(state, PATIENCE, |state| state.ended < 2).unwrap();
        let (stdout, stderr) = (state.stdout.clone(), state.stderr.clone());
        drop(state);
        assert!(!waited.timed_out(), "it does not end\nstdout:\n{stdout}\nstderr:\n{stderr}");
        let status: ExitStatus = self.child.wait().unwrap();
        Finished { code: status.code(), stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen_to(source: impl Read + Send + 'static, from: From, heard: &Arc<Heard>) {
    let heard = Arc::clone(heard);
    thread::spawn(move || {
        let mut source = BufReader::new(source);
        let mut line = Vec::new();
        while source.read_until(b'\n', &mut line).unwrap_or(0) > 0 {
            let text = std::str::from_utf8(&line).expect("the output is UTF-8");
            let mut state = heard.state.lock().unwrap();
            if from == From::Stdout { &mut state.stdout } else { &mut state.stderr }.push_str(text);
            drop(state);
            heard.changed.notify_all();
            line.clear();
        }
        heard.state.lock().unwrap().ended += 1;
        heard.changed.notify_all();
    });
}

/// A VMS inside the test.
pub(crate) struct Desk {
    runtime: Runtime,
    pub(crate) sandbox: Sandbox,
    pub(crate) session: Session,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self::with(SandboxConfig::default())
    }

    pub(crate) fn with(config: SandboxConfig) -> Self {
        let runtime = Runtime::new().unwrap();
        let sandbox = runtime.block_on(Sandbox::start(config)).unwrap();
        let session = sandbox.sessions().remove(0);
        Self { runtime, sandbox, session }
    }

    /// `listen` with the session's token from the environment, and these arguments.
    pub(crate) fn listen(&self, arguments: &[&str]) -> Command {
        self.listen_as(self.session.user_id, arguments)
    }

    /// The same, for whomever the user claims to be.
    pub(crate) fn listen_as(&self, user_id: i64, arguments: &[&str]) -> Command {
        let mut command = vms_pusher(&["listen", "--base-url", &self.sandbox.base_url()]);
        command.args(["--user-id", &user_id.to_string(), "--access-token-id", &self.session.access_token_id]);
        command.args(arguments).env("VMS_TOKEN", &self.session.access_token);
        command
    }

    /// A `listen` that has subscribed to both channels.
    #[track_caller]
    pub(crate) fn listening(&self, arguments: &[&str]) -> Running {
        let running = Running::start(&mut self.listen(arguments));
        self.wait_subscribed(&running);
        running
    }

    #[track_caller]
    pub(crate) fn wait_subscribed(&self, running: &Running) {
        let waited = self.runtime.block_on(self.sandbox.wait_subscribed(&self.session, PATIENCE));
        if let Err(error) = waited {
            let state = running.heard.state.lock().unwrap();
            let (stdout, stderr) = (state.stdout.clone(), state.stderr.clone());
            drop(state);
            panic!("{error}\nstdout:\n{stdout}\nstderr:\n{stderr}");
        }
    }

    pub(crate) fn push(&self, push: Push) {
        let push = push.to(Target::User(self.session.user_id));
        assert_eq!(self.block_on(self.sandbox.push(push)).unwrap().sockets, 1);
    }

    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }
}

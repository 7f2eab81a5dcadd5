//! What README.md promises a new user: its program compiles with what its Install section adds, shows events, and ends by
//! itself.

use std::{fs, path::Path, process::Stdio, time::Duration};

use tokio::process::Command;
use vms_sandbox::{Activity, Ending, Push, Sandbox, SandboxConfig, Target};

/// Long enough for any machine; nothing waits that long unless something is broken.
const PATIENCE: Duration = Duration::from_secs(60);

// A07
#[tokio::test]
async fn the_program_of_the_readme_shows_events_and_ends_by_itself_after_a_logout() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let mut activity = sandbox.activity();
    let mut program = Command::new(env!("CARGO_BIN_EXE_readme"));
    program.env("VMS_URL", sandbox.base_url()).env("VMS_LOGIN", "demo").env("VMS_PASSWORD", "demo");
    let program = program.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    sandbox.wait_until(PATIENCE, |state| state.sessions.len() == 2).await.expect("it logs in");
    let session = sandbox.sessions().pop().unwrap();
    sandbox.wait_subscribed(&session, PATIENCE).await.expect("it listens");
    for kind in ["mark_created", "groups_updated"] {
        let pushed = sandbox.push(Push::new(kind).to(Target::User(session.user_id))).await.unwrap();
        assert_eq!(pushed.sockets, 1);
    }
    assert!(sandbox.log_out(&session.access_token_id, Some("Signed out elsewhere")).await);
    let done = tokio::time::timeout(PATIENCE, program.wait_with_output()).await.expect("it does not end").unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{}: {said}", done.status);
    for shown in ["a mark: ", "GroupsUpdate", "Logout(Some(\"Signed out elsewhere\"))"] {
        assert!(said.contains(shown), "{shown} is not in\n{said}");
    }
    let ending = async {
        loop {
            if let Activity::SocketEnded { ending, .. } = activity.recv().await.unwrap() {
                return ending;
            }
        }
    };
    let ending = tokio::time::timeout(PATIENCE, ending).await.expect("the socket is still there");
    assert!(matches!(ending, Ending::ClosedByClient { code: Some(1000), .. }), "{ending:?}");
}

#[test]
fn the_program_is_built_with_exactly_what_the_install_section_adds() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(here.join("../../README.md")).unwrap();
    let row = readme.lines().find(|line| line.starts_with("| a Rust program |")).expect("its row in Install");
    let mut said: Vec<(String, Vec<String>)> =
        row.split('`').filter_map(|text| text.strip_prefix("cargo add ")).map(added).collect();
    said.sort();
    let manifest = fs::read_to_string(here.join("Cargo.toml")).unwrap();
    let (_, dependencies) = manifest.split_once("[dependencies]\n").unwrap();
    let (dependencies, _) = dependencies.split_once("\n\n").unwrap();
    let used: Vec<(String, Vec<String>)> = dependencies.lines().map(dependency).collect();
    assert_eq!(said, used);
}

/// The package and the features of the arguments of `cargo add`.
fn added(arguments: &str) -> (String, Vec<String>) {
    let words: Vec<&str> = arguments.split(' ').collect();
    let features = words.iter().position(|word| *word == "--features").map_or("", |at| words[at + 1]);
    let package = words.iter().find(|word| !word.starts_with("--")).unwrap().rsplit('/').next().unwrap();
    (package.to_owned(), features.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

/// The package and the features of a line of a manifest.
fn dependency(line: &str) -> (String, Vec<String>) {
    let name = line.split([' ', '.']).next().unwrap();
    let features = line.split_once('[').map_or("", |(_, rest)| rest.split(']').next().unwrap());
    let features = features.split(',').map(|name| name.trim().trim_matches('"')).filter(|name| !name.is_empty());
    (name.to_owned(), features.map(str::to_owned).collect())
}

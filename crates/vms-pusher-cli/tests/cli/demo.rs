use std::{collections::BTreeSet, fs::File, io::Read as _, process::Stdio};

use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};
use serde_json::Value;
use vms_pusher::{VmsDecoder, VmsSocketItem};
use vms_sandbox::{EVENT_TYPES, PushEvent};

use crate::support::{From, Running, run, vms_pusher, wait};

/// The names of everything that the default bodies become, and of what cannot be read.
fn every_name() -> BTreeSet<String> {
    let decoder = VmsDecoder::new("https://example.com");
    let mut names: BTreeSet<String> = ["unknown", "undecodable"].map(str::to_owned).into();
    for row in EVENT_TYPES {
        let mut body = serde_json::json!({"data": {"type": row.name, "data": row.default_body()}});
        if row.event == PushEvent::Notification {
            body = row.default_body();
            body["type"] = row.name.into();
        }
        let item = serde_json::to_value(decoder.decode(row.event.as_str(), "private-user.42", &body.to_string()));
        names.insert(item.unwrap()["type"].as_str().unwrap().to_owned());
    }
    names
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of_side<'l>(lines: &'l [Value], side: &str) -> Vec<&'l Value> {
    lines.iter().filter(|line| line["side"] == side).collect()
}

#[test]
fn the_demo_shows_every_event_type_a_gap_and_ends_with_a_summary() {
    let shown = run(&["demo", "--speed", "10"]).expect(0);
    assert_eq!(shown.stderr, "");
    assert!(!shown.stdout.contains('\u{1b}'), "no colours in a pipe");
    for row in EVENT_TYPES {
        let line = format!("  {} on ", row.name);
        assert!(shown.stdout.contains(&line), "the server's {} is missing:\n{}", row.name, shown.stdout);
    }
    for name in every_name() {
        let line = format!("  both    {name} ");
        assert!(shown.stdout.contains(&line), "the client's {name} is missing:\n{}", shown.stdout);
    }
    for part in [
        "connected → reconnecting",
        "while nobody is connected: it is lost",
        "interrupted ",
        "resync_needed ",
        "\nSummary: the day is over, after ",
        "1 of them while nobody was connected",
        "gaps announced        ",
        "events may be missed since",
    ] {
        assert!(shown.stdout.contains(part), "{part:?} is missing:\n{}", shown.stdout);
    }
    for (part, count) in [("  server  pushed ", 1), ("  client  resync_needed ", 2), ("; reload everything", 1)] {
        assert_eq!(shown.stdout.matches(part).count(), count, "{part:?}:\n{}", shown.stdout);
    }
    let position = |part: &str| shown.stdout.find(part).unwrap();
    for (cause, effect) in [
        ("/api/v1/wsurl", "disconnected → connecting"),
        ("disconnected → connecting", "socket_opened"),
        ("socket_opened", "connecting → connected"),
        ("connecting → connected", "  subscribed "),
        ("  subscribed ", "fresh"),
        ("socket_ended", "connected → reconnecting"),
        ("reason=\"The day is over\"", "disconnecting → disconnected"),
    ] {
        assert!(position(cause) < position(effect), "{effect:?} before {cause:?}:\n{}", shown.stdout);
    }
}

#[test]
fn in_a_terminal_no_word_is_broken_and_no_line_is_longer_than_it_is_wide() {
    let wide = run(&["demo", "--speed", "20", "--color", "never"]).expect(0).stdout;
    let narrow = at_a_terminal_of(80, &["demo", "--speed", "20", "--color", "never"]);
    for line in narrow.lines() {
        assert!(line.chars().count() <= 80, "{line:?}\n{narrow}");
    }
    let words = |text: &str| -> BTreeSet<String> {
        let is_same_each_time = |word: &&str| word.starts_with(|first: char| first.is_ascii_lowercase());
        text.split_whitespace().filter(is_same_each_time).map(str::to_owned).collect()
    };
    // Addresses and channels are others in each run.
    let differs = |word: &String| word.contains("127.0.0.1") || word.starts_with("private-token.");
    let broken: Vec<_> = words(&narrow).symmetric_difference(&words(&wide)).cloned().collect();
    assert!(broken.iter().all(differs), "{broken:?}\n{narrow}");
}

/// Runs the program at a terminal with so many columns, and returns what it shows.
fn at_a_terminal_of(columns: u16, arguments: &[&str]) -> String {
    let reader = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&reader).unwrap();
    unlockpt(&reader).unwrap();
    let path = ptsname(&reader, Vec::new()).unwrap();
    let terminal = File::options().read(true).write(true).open(path.to_str().unwrap()).unwrap();
    tcsetwinsize(&terminal, Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    let shown = std::thread::spawn(move || {
        let mut shown = Vec::new();
        // The end is an error: nobody is at the other end any more.
        let _ = File::from(reader).read_to_end(&mut shown);
        String::from_utf8(shown).unwrap()
    });
    let demo = vms_pusher(arguments).stdout(terminal).stderr(Stdio::null()).spawn().unwrap();
    assert_eq!(wait(demo).status.code(), Some(0));
    shown.join().unwrap().replace("\r\n", "\n")
}

// I26: delivered, or inside a gap.
#[test]
fn the_numbers_of_the_demo_add_up_with_every_profile() {
    for profile in ["pusher7", "push1st", "reverb", "sockudo", "soketi"] {
        let shown = run(&["demo", "--json", "--speed", "20", "--profile", profile]).expect(0);
        let lines = lines(&shown.stdout);
        let client = of_side(&lines, "client");
        let items: Vec<VmsSocketItem> =
            client.iter().map(|line| serde_json::from_value((*line).clone()).unwrap()).collect();
        let is_push =
            |item: &&VmsSocketItem| matches!(item, VmsSocketItem::AppSocket(_) | VmsSocketItem::IntercomSocket(_));
        let received = u64::try_from(items.iter().filter(is_push).count()).unwrap();
        let summary = lines.last().unwrap();
        assert_eq!(summary["side"], "summary", "{summary}");
        assert_eq!(summary["ended"], "day", "{summary}");
        assert_eq!(summary["received"], received, "{summary}");
        assert_eq!(summary["pushed"], received + 1, "{profile}: {summary}");
        assert_eq!(summary["pushed_to_nobody"], 1, "{summary}");
        assert_eq!(summary["gaps"], 2, "{summary}");
        assert_eq!(summary["dropped"], 0, "{summary}");
        assert_eq!(summary["server_missed"], 0, "{summary}");
        let named: BTreeSet<String> = summary["received_by_type"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(named, every_name());
    }
}

#[test]
fn the_demo_ends_when_the_time_is_up() {
    let shown = run(&["demo", "--for", "700ms"]).expect(0);
    assert!(shown.stdout.contains("\nSummary: the time is up, after "), "{}", shown.stdout);
}

#[test]
fn ctrl_c_ends_the_demo_at_once_with_a_summary() {
    let demo = Running::start(&mut vms_pusher(&["demo", "--speed", "0.1"]));
    demo.wait_for(From::Stdout, &["both", "cameras_update"]);
    let shown = demo.interrupt().expect(130);
    assert!(shown.stdout.contains("\nSummary: interrupted, after "), "{}", shown.stdout);
    assert_eq!(shown.stderr, "");
}

#[test]
fn colours_are_there_when_they_are_asked_for() {
    let shown = run(&["demo", "--for", "300ms", "--color", "always"]).expect(0);
    assert!(shown.stdout.contains("\u{1b}["), "{}", shown.stdout);
    let shown = run(&["demo", "--for", "300ms", "--color", "never"]).expect(0);
    assert!(!shown.stdout.contains('\u{1b}'), "{}", shown.stdout);
}

#[test]
fn a_wrong_number_is_refused() {
    run(&["demo", "--for", "soon"]).expect(2).says(&["--for", "20s"]);
    run(&["demo", "--speed", "0"]).expect(2).says(&["--speed", "from 0.1 to 100"]);
    run(&["demo", "--profile", "x"]).expect(2).says(&["--profile", "pusher7, push1st, reverb, sockudo, soketi"]);
}

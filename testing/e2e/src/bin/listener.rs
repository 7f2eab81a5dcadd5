//! A client as a process of its own, so that a test can have it stand still: takes its session as a line of JSON on
//! stdin, and prints what it is told, a line of JSON an item, until its stdin ends.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "support for tests: a failure ends the process, and with it the test"
)]

use std::io::Write as _;

use e2e::{Consumer, ListenerSession};
use tokio::io::{AsyncBufReadExt as _, BufReader};

#[tokio::main]
async fn main() {
    let mut input = BufReader::new(tokio::io::stdin()).lines();
    let session = input.next_line().await.expect("stdin can be read").expect("a session on stdin");
    let mut consumer = Consumer::connect(ListenerSession::parse(&session).config());
    let mut output = std::io::stdout().lock();
    let mut told = async || loop {
        let item = consumer.whenever().await;
        serde_json::to_writer(&mut output, &item).expect("an item is written");
        output.write_all(b"\n").and_then(|()| output.flush()).expect("somebody reads");
    };
    tokio::select! {
        () = told() => {}
        end = input.next_line() => assert_eq!(end.expect("stdin can be read"), None),
    }
}

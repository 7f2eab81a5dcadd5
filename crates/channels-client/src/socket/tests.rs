use std::task::Poll;

use tokio::{
    io::{AsyncWriteExt, DuplexStream, duplex},
    time::Instant,
};

use super::*;

const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

async fn socket(buffer: usize, early: &[u8]) -> (Socket, DuplexStream) {
    let (near, far) = duplex(buffer);
    (Socket::new(Stream::Memory(near), early.to_vec(), 1024, WRITE_TIMEOUT).await, far)
}

async fn received(socket: &mut Socket) -> Received {
    std::future::poll_fn(|cx| socket.poll_received(cx)).await
}

fn text(text: &str) -> Received {
    Received::Text(text.into())
}

// W24
#[tokio::test]
async fn bytes_from_behind_the_upgrade_come_first() {
    let (mut socket, mut far) = socket(1024, b"\x81\x02{}\x81\x04").await;
    far.write_all(b"true").await.unwrap();
    assert_eq!(received(&mut socket).await, text("{}"));
    assert_eq!(received(&mut socket).await, text("true"));
}

// L12, W23: a part of a message is activity, once for what has come.
#[tokio::test]
async fn a_part_of_a_message_is_activity() {
    let (mut socket, mut far) = socket(1024, b"").await;
    assert_eq!(socket.try_received(), None);
    far.write_all(b"\x81\x04tr").await.unwrap();
    assert_eq!(socket.try_received(), Some(Received::Activity));
    assert_eq!(socket.try_received(), None);
    far.write_all(b"ue").await.unwrap();
    assert_eq!(socket.try_received(), Some(text("true")));
    assert_eq!(socket.try_received(), None);
}

// N10
#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_read_is_given_up_after_the_write_timeout() {
    let (mut socket, _far) = socket(64, b"").await;
    socket.send("x".repeat(500));
    let started = Instant::now();
    let Received::Closed(Closed { code: None, error: Some(error), .. }) = received(&mut socket).await else {
        panic!("not given up");
    };
    assert_eq!(started.elapsed(), WRITE_TIMEOUT);
    assert!(error.contains("has not read for 10 s"), "{error}");
}

// N10: slow is not stuck.
#[tokio::test(start_paused = true)]
async fn a_server_that_reads_late_is_kept() {
    let (mut socket, mut far) = socket(64, b"").await;
    socket.send("x".repeat(500));
    let read = async {
        sleep(WRITE_TIMEOUT / 2).await;
        let mut frame = vec![0; 508];
        far.read_exact(&mut frame).await.unwrap();
        sleep(WRITE_TIMEOUT * 2).await;
        far.write_all(b"\x81\x02{}").await.unwrap();
    };
    let (got, ()) = tokio::join!(received(&mut socket), read);
    assert_eq!(got, text("{}"));
}

// B06: what waits to be written is bounded.
#[tokio::test]
async fn more_than_the_bound_of_unsent_bytes_gives_the_socket_up() {
    let (mut socket, _far) = socket(64, b"").await;
    for _ in 0..MAX_UNSENT / 1000 + 1 {
        socket.send("x".repeat(1000));
    }
    let Some(Received::Closed(closed)) = socket.try_received() else { panic!("not given up") };
    assert!(closed.error.unwrap().contains("does not read"));
}

// D06, W19
#[tokio::test(start_paused = true)]
async fn a_farewell_takes_two_seconds_at_most() {
    let (socket, far) = socket(64, b"").await;
    let started = Instant::now();
    Box::new(socket).close(Some(channels_proto::CloseFrame { code: 1000, reason: "" })).await;
    assert_eq!(started.elapsed(), LONGEST_FAREWELL);
    drop(far);
}

// W19: the server's hanging up ends it at once; push1st does that without an answer.
#[tokio::test(start_paused = true)]
async fn a_farewell_ends_when_the_server_hangs_up() {
    let (socket, mut far) = socket(64, b"").await;
    let started = Instant::now();
    let server = async {
        let mut frame = [0; 8];
        far.read_exact(&mut frame).await.unwrap();
        assert_eq!(frame[..2], [0x88, 0x82]);
        drop(far);
    };
    let close = Box::new(socket).close(Some(channels_proto::CloseFrame { code: 1000, reason: "" }));
    let ((), ()) = tokio::join!(close, server);
    assert_eq!(started.elapsed(), Duration::ZERO);
}

// W21
#[tokio::test]
async fn nothing_is_taken_after_a_close_frame() {
    let (mut socket, mut far) = socket(1024, b"").await;
    far.write_all(b"\x88\x04\x10\x68by\x81\x02{}").await.unwrap();
    let closed = Closed { code: Some(4200), reason: "by".into(), error: None };
    assert_eq!(received(&mut socket).await, Received::Closed(closed));
    let mut cx = Context::from_waker(std::task::Waker::noop());
    let Poll::Ready(Received::Closed(_)) = socket.poll_received(&mut cx) else { panic!("something came") };
}

use std::task::Poll;

use tokio::{
    io::{AsyncWriteExt, DuplexStream, duplex},
    time::Instant,
};

use tokio_tungstenite::tungstenite::protocol::frame::{
    Frame, FrameHeader,
    coding::{Data, OpCode},
};

use super::*;

/// What came in, one message at a time.
#[derive(Debug, PartialEq, Eq)]
enum Got {
    Text(String),
    Binary,
    Activity,
    Closed(Closed),
}

/// Takes one text and gives the rest back.
fn got(socket: &mut Socket, received: Received) -> Option<Got> {
    Some(match received {
        Received::Texts(mut texts) => {
            let text = texts.next_text().map(str::to_owned);
            socket.give_back(texts);
            Got::Text(text?)
        }
        Received::Text(text) => Got::Text(text.as_str().to_owned()),
        Received::Binary => Got::Binary,
        Received::Activity => Got::Activity,
        Received::Closed(closed) => Got::Closed(closed),
    })
}

const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

async fn socket(buffer: usize, early: &[u8]) -> (Socket, DuplexStream) {
    let (near, far) = duplex(buffer);
    (Socket::new(Stream::new(near), early, 1024, WRITE_TIMEOUT).await, far)
}

async fn received(socket: &mut Socket) -> Got {
    loop {
        let received = std::future::poll_fn(|cx| socket.poll_received(cx)).await;
        if let Some(got) = got(socket, received) {
            return got;
        }
    }
}

fn try_received(socket: &mut Socket) -> Option<Got> {
    socket.try_received().and_then(|received| got(socket, received))
}

fn text(text: &str) -> Got {
    Got::Text(text.to_owned())
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
    assert_eq!(try_received(&mut socket), None);
    far.write_all(b"\x81\x04tr").await.unwrap();
    assert_eq!(try_received(&mut socket), Some(Got::Activity));
    assert_eq!(try_received(&mut socket), None);
    far.write_all(b"ue").await.unwrap();
    assert_eq!(try_received(&mut socket), Some(text("true")));
    assert_eq!(try_received(&mut socket), None);
}

// N10
#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_read_is_given_up_after_the_write_timeout() {
    let (mut socket, _far) = socket(64, b"").await;
    socket.send(Secret::new("x".repeat(500)), 7);
    let started = Instant::now();
    let Got::Closed(Closed { code: None, error: Some(error), .. }) = received(&mut socket).await else {
        panic!("not given up");
    };
    assert_eq!(started.elapsed(), WRITE_TIMEOUT);
    assert!(error.contains("has not read for 10 s"), "{error}");
}

// N10: slow is not stuck.
#[tokio::test(start_paused = true)]
async fn a_server_that_reads_late_is_kept() {
    let (mut socket, mut far) = socket(64, b"").await;
    socket.send(Secret::new("x".repeat(500)), 7);
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

/// Reads `rate` bytes every tenth of a second, `bytes` in all; then nothing more.
async fn read_slowly(far: &mut DuplexStream, rate: usize, bytes: usize) {
    let mut piece = vec![0; rate];
    for _ in 0..bytes.div_ceil(rate) {
        sleep(Duration::from_millis(100)).await;
        far.read_exact(&mut piece).await.unwrap();
    }
}

// N10: 200 kB of subscribes over a link of 100 kbit/s take longer than a write may be stuck.
#[tokio::test(start_paused = true)]
async fn a_slow_link_that_makes_progress_is_not_stuck() {
    let (mut socket, mut far) = socket(1024, b"").await;
    for _ in 0..1_000 {
        socket.send(Secret::new("x".repeat(192)), 7);
    }
    let started = Instant::now();
    let read = async {
        read_slowly(&mut far, 1_250, 1_000 * 200).await;
        far.write_all(b"\x81\x02{}").await.unwrap();
    };
    let both = async { tokio::join!(received(&mut socket), read) };
    let (got, ()) = timeout(WRITE_TIMEOUT * 6, both).await.expect("nobody writes any more");
    assert_eq!(got, text("{}"));
    assert!(started.elapsed() >= WRITE_TIMEOUT * 3 / 2, "{:?}", started.elapsed());
}

// N10
#[tokio::test(start_paused = true)]
async fn a_link_that_stops_is_given_up_the_write_timeout_after_its_last_progress() {
    let (mut socket, mut far) = socket(1024, b"").await;
    socket.send(Secret::new("x".repeat(200_000)), 7);
    let started = Instant::now();
    let read = read_slowly(&mut far, 1_250, 100_000);
    let (got, ()) = tokio::join!(received(&mut socket), read);
    let Got::Closed(Closed { code: None, error: Some(error), .. }) = got else { panic!("{got:?}") };
    assert!(error.contains("has not read for 10 s"), "{error}");
    assert_eq!(started.elapsed(), Duration::from_secs(8) + WRITE_TIMEOUT);
}

// W18: the subscribes to all the channels that the options allow may wait for a server that reads slowly.
#[tokio::test(start_paused = true)]
async fn the_subscribes_to_all_channels_of_the_options_may_wait_to_be_sent() {
    for (channels, fits) in [(1_000, false), (10_000, true)] {
        let (socket, _far) = socket(64, b"").await;
        let mut socket = socket.for_channels(channels);
        for _ in 0..10_000 {
            socket.send(Secret::new("x".repeat(500)), 7);
        }
        assert_eq!(try_received(&mut socket).is_none(), fits, "{channels}");
    }
}

// B06: what waits to be written is bounded.
#[tokio::test]
async fn more_than_the_bound_of_unsent_bytes_gives_the_socket_up() {
    let (mut socket, _far) = socket(64, b"").await;
    for _ in 0..MAX_UNSENT / 1000 + 1 {
        socket.send(Secret::new("x".repeat(1000)), 7);
    }
    let Some(Got::Closed(closed)) = try_received(&mut socket) else { panic!("not given up") };
    assert!(closed.error.unwrap().contains("does not read"));
}

// D06, W19
#[tokio::test(start_paused = true)]
async fn a_farewell_takes_two_seconds_at_most() {
    let (socket, far) = socket(64, b"").await;
    let started = Instant::now();
    Box::new(socket).close(Some(channels_proto::CloseFrame { code: 1000, reason: "" })).await;
    assert_eq!(started.elapsed(), CLOSE_TIMEOUT);
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
    assert_eq!(received(&mut socket).await, Got::Closed(closed));
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(Received::Closed(_)) = socket.poll_received(&mut cx) else { panic!("something came") };
}

/// Appends a frame as a server sends it.
fn push_frame(bytes: &mut Vec<u8>, first: u8, payload: &[u8]) {
    let mut frame = Frame::message(payload.to_vec(), OpCode::Data(Data::Text), true);
    *frame.header_mut() = FrameHeader { is_final: true, opcode: OpCode::Data(Data::Text), ..FrameHeader::default() };
    let start = bytes.len();
    frame.format(bytes).unwrap();
    bytes[start] = first;
}

/// What servers send, and now and then what they should not.
fn random_frames(random: &mut fastrand::Rng, max: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..random.usize(1..12) {
        let length = *random.choice(&[0, 1, 5, 125, 126, 300, max - 1, max, max + 1]).unwrap();
        let text: String = (0..length).map(|_| random.choice("aé{\"}".chars().collect::<Vec<_>>()).unwrap()).collect();
        let end = (0..=length).rev().find(|&end| text.is_char_boundary(end)).unwrap();
        let payload = &text.as_bytes()[..end];
        match random.u8(..60) {
            0..30 => push_frame(&mut bytes, 0x81, payload),
            30..36 => push_frame(&mut bytes, 0x89, &payload[..payload.len().min(125)]),
            36..39 => push_frame(&mut bytes, 0x8A, b"pong"),
            39..42 => push_frame(&mut bytes, 0x82, payload),
            42..50 => {
                // In parts, which need not be UTF-8 by themselves, with a ping between them.
                let cut = random.usize(0..=payload.len());
                push_frame(&mut bytes, 0x01, &payload[..cut]);
                push_frame(&mut bytes, 0x89, b"ping");
                push_frame(&mut bytes, 0x80, &payload[cut..]);
            }
            50 => push_frame(&mut bytes, 0x88, b"\x10\x68by"),
            51 => push_frame(&mut bytes, 0x81, b"\xC3"),
            52 => push_frame(&mut bytes, 0x80, b"not begun"),
            53 => push_frame(&mut bytes, 0x01, b"not ended"),
            54 => push_frame(&mut bytes, 0xC1, payload),
            55 => bytes.extend(b"\x81\x81mask!"),
            56 => push_frame(&mut bytes, 0x83, payload),
            // Longer than it has to be written.
            _ => bytes.extend(b"\x81\x7E\x00\x02{}"),
        }
    }
    bytes
}

/// Far more than a few frames take in pieces of a byte.
const MOST_STEPS: usize = 100_000;

/// What the library makes of the bytes by itself.
async fn by_library(bytes: &[u8], max: usize) -> Vec<Got> {
    let (near, mut far) = duplex(1 << 20);
    far.write_all(bytes).await.unwrap();
    far.shutdown().await.unwrap();
    let config = WebSocketConfig::default().max_message_size(Some(max)).max_frame_size(Some(max));
    let mut web_socket = WebSocketStream::from_raw_socket(near, Role::Client, Some(config)).await;
    let mut all = Vec::new();
    while !matches!(all.last(), Some(Got::Closed(_))) {
        all.extend(match web_socket.next().await {
            Some(Ok(Message::Text(text))) => Some(text_of(text.as_str())),
            Some(Ok(Message::Binary(_))) => Some(Got::Binary),
            Some(Ok(Message::Close(frame))) => {
                let (code, reason) = frame.map(|frame| (u16::from(frame.code), frame.reason.to_string())).unzip();
                Some(Got::Closed(Closed { code, reason: reason.unwrap_or_default(), error: None }))
            }
            Some(Ok(_)) => None,
            Some(Err(error)) => Some(Got::Closed(explain(&error))),
            None => Some(Got::Closed(Closed::default())),
        });
    }
    all.into_iter().map(without_sizes).collect()
}

/// A message that comes in parts is found to be too long sooner or later, by the size of the parts.
fn without_sizes(got: Got) -> Got {
    let Got::Closed(Closed { code, reason, error: Some(error) }) = got else { return got };
    let error = error.chars().filter(|letter| !letter.is_ascii_digit()).collect();
    Got::Closed(Closed { code, reason, error: Some(error) })
}

fn text_of(text: &str) -> Got {
    Got::Text(text.to_owned())
}

// N11, W10, W13, W14, W21: whole texts are taken where they were read, and it makes no difference.
#[tokio::test]
async fn whatever_comes_in_whatever_pieces_is_what_the_library_makes_of_it() {
    let mut random = fastrand::Rng::with_seed(8);
    let (mut texts, mut faults) = (0, 0);
    for round in 0..1_500 {
        // The larger ones are given to the library in pieces.
        let max = if round % 4 == 0 { 10_000 } else { 1_024 };
        let bytes = random_frames(&mut random, max);
        let expected = by_library(&bytes, max).await;
        let early = random.usize(0..=bytes.len());
        let (near, mut far) = duplex(1 << 20);
        let early = if random.bool() { early } else { 0 };
        let mut socket = Socket::new(Stream::new(near), &bytes[..early], max, WRITE_TIMEOUT).await;
        let (mut all, mut rest) = (Vec::new(), &bytes[early..]);
        for _ in 0..MOST_STEPS {
            if matches!(all.last(), Some(Got::Closed(_))) {
                break;
            }
            match try_received(&mut socket) {
                Some(Got::Activity) => {}
                Some(got) => all.push(without_sizes(got)),
                None if !rest.is_empty() => {
                    let (piece, behind) = rest.split_at(random.usize(1..=rest.len()));
                    far.write_all(piece).await.unwrap();
                    rest = behind;
                }
                None => far.shutdown().await.unwrap(),
            }
            // Tokio lets a task read only so much at a stretch.
            tokio::task::yield_now().await;
        }
        assert_eq!(all, expected, "{}", bytes.escape_ascii());
        texts += all.iter().filter(|got| matches!(got, Got::Text(_))).count();
        faults += usize::from(matches!(all.last(), Some(Got::Closed(Closed { error: Some(_), .. }))));
    }
    assert!(texts > 3_000 && faults > 300, "{texts} {faults}");
}

// W16: the answer to a ping does not wait for the library's next turn.
#[tokio::test(start_paused = true)]
async fn a_ping_is_answered_when_nothing_but_whole_texts_follows() {
    let (mut socket, mut far) = socket(1024, b"\x89\x01p\x81\x02{}").await;
    assert_eq!(received(&mut socket).await, Got::Activity);
    assert_eq!(received(&mut socket).await, text("{}"));
    let mut frame = [0; 7];
    timeout(WRITE_TIMEOUT, far.read_exact(&mut frame)).await.expect("there is no answer").unwrap();
    assert_eq!(frame[..2], [0x8A, 0x81]);
}

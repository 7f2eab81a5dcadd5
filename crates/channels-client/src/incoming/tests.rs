use futures_util::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::*;

async fn texts<S: AsyncRead + Unpin>(incoming: &mut Incoming<S>) -> Option<Texts> {
    match std::future::poll_fn(|cx| incoming.poll_next(cx)).await {
        Next::Texts(texts) => Some(texts),
        Next::Close(close) => panic!("{close:?}"),
        Next::ForLibrary => None,
    }
}

// N11, Y01
#[tokio::test]
async fn a_buffer_is_held_only_for_bytes_that_nobody_has_taken() {
    let (mut near, far) = duplex(100_000);
    let mut incoming = Incoming::new(far, b"", 1_000);
    assert!(texts(&mut incoming).now_or_never().is_none());
    assert!(incoming.unread.is_none());
    near.write_all(b"\x81\x02{}\x81\x02[]\x89\x01p\x81").await.unwrap();
    let mut whole = texts(&mut incoming).await.unwrap();
    assert_eq!(whole.next_text(), Some("{}"));
    incoming.give_back(whole);
    let mut whole = texts(&mut incoming).await.unwrap();
    assert_eq!(whole.next_text(), Some("[]"));
    assert_eq!(whole.next_text(), None);
    incoming.give_back(whole);
    assert!(texts(&mut incoming).await.is_none());
    let mut frame = [0; 100];
    let mut taken = 0;
    // A frame at a time: none of the next one comes with it.
    for _ in 0..3 {
        taken += if taken < 3 { incoming.read(&mut frame[taken..]).await.unwrap() } else { 0 };
    }
    assert_eq!((taken, &frame[..3]), (3, &b"\x89\x01p"[..]));
    assert!(texts(&mut incoming).await.is_none());
    // Half a head is kept until it is whole.
    assert!(incoming.read(&mut frame).now_or_never().is_none());
    assert!(incoming.unread.is_none());
    assert_eq!(incoming.bytes(), 12);
    near.write_all(b"\x00").await.unwrap();
    assert_eq!(incoming.read(&mut frame).await.unwrap(), 2);
    assert!(texts(&mut incoming).now_or_never().is_none());
}

// W13, W23
#[tokio::test]
async fn a_text_that_is_too_long_or_not_text_is_left_to_the_library() {
    for frame in
        [&b"\x81\x05 1234"[..], b"\x81\x02\xff\xff", b"\xc1\x01x", b"\x81\x81mask0", b"\x01\x01x", b"\x82\x01x"]
    {
        let mut incoming = Incoming::new(duplex(10).0, frame, 4);
        let taken = texts(&mut incoming).await;
        let is_left = taken.is_none_or(|mut texts| {
            let is_none = texts.next_text().is_none();
            incoming.give_back(texts);
            is_none
        });
        assert!(is_left, "{frame:?}");
        assert!(texts(&mut incoming).await.is_none(), "{frame:?}");
        let mut bytes = vec![0; frame.len()];
        incoming.read_exact(&mut bytes).await.unwrap();
        assert_eq!(bytes, frame);
    }
}

// Y01: the library keeps a buffer as large as the largest frame it is given.
#[tokio::test]
async fn a_large_frame_is_given_to_the_library_as_small_ones_that_say_the_same() {
    let payload: Vec<u8> = (0..=255).cycle().take(10_000).collect();
    for (kind, is_final) in [(0x01, true), (0x02, false), (0x00, true), (0x00, false)] {
        let first = if is_final { 0x80 | kind } else { kind };
        let mut frame = vec![first, 126];
        frame.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
        frame.extend(&payload);
        let mut incoming = Incoming::new(duplex(10).0, &frame, payload.len());
        let (mut heads, mut whole) = (Vec::new(), Vec::new());
        while whole.len() < payload.len() {
            let mut head = [0; 4];
            incoming.read_exact(&mut head).await.unwrap();
            let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
            assert!(length <= 4096, "{length}");
            let mut piece = vec![0; length];
            incoming.read_exact(&mut piece).await.unwrap();
            whole.extend(piece);
            heads.push(head[0]);
        }
        assert_eq!(whole, payload);
        assert_eq!(heads, [kind, 0x00, first & 0x80], "{kind} {is_final}");
    }
    // What is masked or too long is refused by its head.
    for head in [&b"\x81\xFE\x20\x00mask"[..], b"\x81\x7E\x20\x00"] {
        let mut incoming = Incoming::new(duplex(10).0, head, 0x1FFF);
        let mut given = vec![0; head.len()];
        incoming.read_exact(&mut given).await.unwrap();
        assert_eq!(given, head);
    }
}

// W20, Q08: however it is cut, a close frame is taken whole, and what comes behind it is nothing.
#[tokio::test]
async fn a_close_frame_is_taken_at_any_cut_and_within_a_message() {
    let frame = |code, reason: &str| ServerClose::Frame { code, reason: reason.to_owned() };
    let broken = |close: &ServerClose| matches!(close, ServerClose::Broken(_));
    type Check<'a> = &'a dyn Fn(&ServerClose) -> bool;
    let cases: [(&[u8], Check<'_>); 7] = [
        (b"\x88\x00", &|close| *close == frame(None, "")),
        (b"\x88\x05\x0f\xa1bye", &|close| *close == frame(Some(4001), "bye")),
        (b"\x88\x02\x13\x88", &|close| *close == frame(Some(5000), "")),
        (b"\x88\x01\x0f", &broken),
        (b"\x88\x80", &broken),
        (b"\x88\x7e", &broken),
        (b"\x88\x04\x0f\xa1\xff\xff", &|close| *close == ServerClose::NotText),
    ];
    for (bytes, fits) in cases {
        for begun in [&b""[..], b"\x01\x01x"] {
            let (mut near, far) = duplex(1);
            let mut incoming = Incoming::new(far, begun, 1_000);
            let mut read = vec![0; begun.len()];
            incoming.read_exact(&mut read).await.unwrap();
            let writing = async {
                near.write_all(bytes).await.unwrap();
                near.write_all(b"\x81\x02{}").await.unwrap();
            };
            let reading = async {
                let next = std::future::poll_fn(|cx| incoming.poll_next(cx)).await;
                let Next::Close(close) = next else { panic!("{next:?}") };
                assert!(fits(&close), "{bytes:?}: {close:?}");
                assert!(matches!(std::future::poll_fn(|cx| incoming.poll_next(cx)).await, Next::ForLibrary));
                incoming.read_exact(&mut [0; 4]).await.unwrap();
            };
            tokio::join!(writing, reading);
        }
    }
}

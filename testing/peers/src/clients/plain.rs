//! A bare connection of the baselines: plain TCP, upgraded and subscribed by hand.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};

use anyhow::{Result, bail};

use super::Target;
use crate::websocket::{Opcode, client_frame};
use crate::workload::{TOKEN_CHANNEL, USER_CHANNEL};

/// Connects, and returns the stream with the first events still unread: subscriptions are asked for, and the answers
/// come before the events.
pub(crate) fn subscribed(target: &Target) -> Result<TcpStream> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, target.port(0)))?;
    stream.set_nodelay(true)?;
    stream.write_all(&upgrade_request())?;
    read_upgrade(&mut stream)?;
    for channel in [TOKEN_CHANNEL, USER_CHANNEL] {
        stream.write_all(&subscribe(channel))?;
    }
    Ok(stream)
}

pub(crate) fn upgrade_request() -> Vec<u8> {
    b"GET /pusher/app/bench-key?client=bench&version=1.0.0&protocol=7 HTTP/1.1\r\nHost: 127.0.0.1\r\n\
      Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
      Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        .to_vec()
}

/// Takes the head of the answer and nothing behind it.
fn read_upgrade(stream: &mut TcpStream) -> Result<()> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            bail!("the server closed the connection before it was upgraded");
        }
        head.extend_from_slice(&byte);
    }
    Ok(())
}

pub(crate) fn subscribe(channel: &str) -> Vec<u8> {
    let signature = "5".repeat(64);
    let text =
        format!(r#"{{"event":"pusher:subscribe","data":{{"channel":"{channel}","auth":"bench-key:{signature}"}}}}"#);
    client_frame(Opcode::Text, text.as_bytes())
}

/// Returns whether a message is one of the protocol's own.
pub(crate) fn is_internal(event: &str) -> bool {
    event.starts_with("pusher:") || event.starts_with("pusher_internal:")
}

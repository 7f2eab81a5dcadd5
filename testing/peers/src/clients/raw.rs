//! The floor: the bytes are read, and not looked at but for the end.

use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::plain::{subscribe, subscribed, upgrade_request};
use super::{Mode, Seen, Target, print_line, wait_for_stdin};
use crate::blaster::end_frame;
use crate::workload::{TOKEN_CHANNEL, USER_CHANNEL};

/// Reads in the calling thread.
pub(super) fn events(mode: Mode, target: &Target) -> Result<Seen> {
    let mut stream = subscribed(target)?;
    let (mut seen, mut end) = (Seen::new(mode), End::new());
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 || end.is_in(buffer.get(..read).unwrap_or_default()) {
            return Ok(seen);
        }
        seen.event();
    }
}

/// Reads in a task of the runtime that ours uses.
pub(super) fn events_async(mode: Mode, target: &Target) -> Result<Seen> {
    let stream = subscribed(target)?;
    stream.set_nonblocking(true)?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut stream = TcpStream::from_std(stream)?;
        let (mut seen, mut end) = (Seen::new(mode), End::new());
        let mut buffer = vec![0; BUFFER];
        loop {
            let read = stream.read(&mut buffer).await?;
            if read == 0 || end.is_in(buffer.get(..read).unwrap_or_default()) {
                return Ok(seen);
            }
            seen.event();
        }
    })
}

/// Many connections, each with a task; the buffer is on the stack, and empty between two reads. Says when each has seen
/// an end.
pub(super) fn sessions(target: &Target) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let mut tasks: JoinSet<Result<()>> = JoinSet::new();
        let ended = Arc::new(AtomicUsize::new(0));
        let count = target.count;
        for session in 0..target.count {
            let port = target.port(session);
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
            stream.write_all(&upgrade_request()).await?;
            stream.readable().await?;
            for channel in [TOKEN_CHANNEL, USER_CHANNEL] {
                stream.write_all(&subscribe(channel)).await?;
            }
            let ended = Arc::clone(&ended);
            tasks.spawn(async move {
                let mut end = End::new();
                loop {
                    stream.readable().await?;
                    let mut buffer = [0; 16 * 1024];
                    match stream.try_read(&mut buffer) {
                        Ok(0) => return Ok(()),
                        Ok(read) if end.is_in(buffer.get(..read).unwrap_or_default()) => {
                            if ended.fetch_add(1, Ordering::Relaxed) + 1 == count {
                                ended.store(0, Ordering::Relaxed);
                                print_line("done 0 0")?;
                            }
                        }
                        Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => return Err(error.into()),
                        Ok(_) | Err(_) => {}
                    }
                }
            });
        }
        tokio::task::spawn_blocking(wait_for_stdin).await?;
        tasks.shutdown().await;
        Ok(())
    })
}

/// Looks for the last frame in what is read.
struct End {
    frame: Vec<u8>,
    tail: Vec<u8>,
}

impl End {
    fn new() -> Self {
        Self { frame: end_frame(USER_CHANNEL), tail: Vec::new() }
    }

    fn is_in(&mut self, read: &[u8]) -> bool {
        if read.len() >= self.frame.len() {
            self.tail.clear();
        }
        let kept = read.len().min(self.frame.len());
        self.tail.extend_from_slice(read.get(read.len() - kept..).unwrap_or_default());
        let surplus = self.tail.len().saturating_sub(self.frame.len());
        self.tail.drain(..surplus);
        self.tail == self.frame
    }
}

const BUFFER: usize = 64 * 1024;

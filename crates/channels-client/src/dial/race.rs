//! Happy Eyeballs (RFC 8305): addresses are tried in turn, a quarter of a second apart, and the first one to answer
//! wins.

use std::{future::Future, io, net::SocketAddr, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};

/// Connects to the first of `addresses` that answers; the attempts still under way are dropped with it.
///
/// `addresses` must not be empty; the error is the most telling one.
pub(super) async fn first_connected<S, F>(
    addresses: Vec<SocketAddr>,
    connect: impl Fn(SocketAddr) -> F,
) -> Result<S, (SocketAddr, io::Error)>
where
    F: Future<Output = io::Result<S>>,
{
    let mut waiting = alternating(addresses).into_iter().take(MAX_ADDRESSES).peekable();
    let mut attempts = FuturesUnordered::new();
    let mut failure = None;
    loop {
        if let Some(address) = waiting.next() {
            let attempt = connect(address);
            attempts.push(async move { (address, attempt.await) });
        }
        tokio::select! {
            biased;
            ended = attempts.next() => match ended {
                Some((_, Ok(stream))) => return Ok(stream),
                Some((address, Err(error))) => failure = Some(more_telling(failure, (address, error))),
                None => return Err(failure.unwrap_or_else(nothing_to_try)),
            },
            () = tokio::time::sleep(STAGGER), if waiting.peek().is_some() => {}
        }
    }
}

/// Orders by family in turn, IPv6 first, and keeps the resolver's order within each family.
fn alternating(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let (six, four): (Vec<_>, Vec<_>) = addresses.into_iter().partition(SocketAddr::is_ipv6);
    let (mut six, mut four) = (six.into_iter(), four.into_iter());
    let mut ordered = Vec::new();
    loop {
        match (six.next(), four.next()) {
            (None, None) => return ordered,
            (first, second) => ordered.extend(first.into_iter().chain(second)),
        }
    }
}

/// A missing route for a family says little where the other family failed for a reason of its own.
fn more_telling(old: Option<(SocketAddr, io::Error)>, new: (SocketAddr, io::Error)) -> (SocketAddr, io::Error) {
    let no_route =
        |error: &io::Error| matches!(error.kind(), io::ErrorKind::NetworkUnreachable | io::ErrorKind::AddrNotAvailable);
    match old {
        Some(old) if !no_route(&old.1) || no_route(&new.1) => old,
        Some(_) | None => new,
    }
}

fn nothing_to_try() -> (SocketAddr, io::Error) {
    (SocketAddr::from(([0, 0, 0, 0], 0)), io::ErrorKind::AddrNotAvailable.into())
}

/// RFC 8305, section 5, "Connection Attempt Delay".
const STAGGER: Duration = Duration::from_millis(250);
/// A name with more addresses than this has enough of them.
const MAX_ADDRESSES: usize = 16;

#[cfg(test)]
mod tests {
    use std::{
        cell::RefCell,
        future::pending,
        net::{Ipv4Addr, Ipv6Addr},
    };

    use tokio::time::{Instant, sleep};

    use super::*;

    fn four(last: u8) -> SocketAddr {
        (Ipv4Addr::new(192, 0, 2, last), 443).into()
    }

    fn six(last: u16) -> SocketAddr {
        (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last), 443).into()
    }

    // N03
    #[tokio::test(start_paused = true)]
    async fn a_black_holed_first_address_costs_a_quarter_of_a_second() {
        let started = Instant::now();
        let connect = |address: SocketAddr| async move {
            if address.is_ipv6() {
                return pending().await;
            }
            sleep(Duration::from_millis(10)).await;
            Ok(address)
        };
        let winner = first_connected(vec![four(1), six(1)], connect).await;
        assert_eq!(winner.unwrap(), four(1));
        assert_eq!(started.elapsed(), Duration::from_millis(260));
    }

    // N03
    #[tokio::test(start_paused = true)]
    async fn families_alternate_and_a_failure_starts_the_next_at_once() {
        let tried = RefCell::new(Vec::new());
        let connect = |address| {
            tried.borrow_mut().push(address);
            async { Err::<(), _>(io::ErrorKind::ConnectionRefused.into()) }
        };
        let started = Instant::now();
        let failed = first_connected(vec![four(1), four(2), six(1), six(2), six(3)], connect).await;
        assert_eq!(failed.unwrap_err().0, six(1));
        assert_eq!(tried.into_inner(), [six(1), four(1), six(2), four(2), six(3)]);
        assert_eq!(started.elapsed(), Duration::ZERO);
    }

    // N04, N06: the family without a route does not hide why the other one failed.
    #[tokio::test(start_paused = true)]
    async fn the_error_is_the_most_telling_one() {
        let connect = |address: SocketAddr| async move {
            let kind =
                if address.is_ipv6() { io::ErrorKind::NetworkUnreachable } else { io::ErrorKind::ConnectionRefused };
            Err::<(), _>(io::Error::from(kind))
        };
        for addresses in [vec![six(1), four(1), six(2)], vec![four(1), six(1)]] {
            let (address, error) = first_connected(addresses, connect).await.unwrap_err();
            assert_eq!((address, error.kind()), (four(1), io::ErrorKind::ConnectionRefused));
        }
    }

    // N03: losers closed
    #[tokio::test(start_paused = true)]
    async fn the_losers_are_dropped_when_one_wins() {
        let alive = std::rc::Rc::new(());
        let connect = |address: SocketAddr| {
            let held = std::rc::Rc::clone(&alive);
            async move {
                let _held = held;
                if address == six(1) { pending().await } else { Ok(address) }
            }
        };
        assert_eq!(first_connected(vec![six(1), six(2)], connect).await.unwrap(), six(2));
        assert_eq!(std::rc::Rc::strong_count(&alive), 1);
    }
}

//! What a client has counted.

use std::time::{Duration, SystemTime};

use channels_proto::{ConnectionState, Counters};

use super::core::Core;
use crate::ClientCounters;

/// What a client has sent, received and been through since it was created.
///
/// It is brought up to date after each turn of the client's task: when an event is delivered, it is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientFigures {
    /// Bytes read from the sockets, in WebSocket frames; what TLS and the upgrade took is not counted.
    pub bytes_in: u64,
    /// Bytes written to the sockets, in WebSocket frames; what closing took is not counted either.
    pub bytes_out: u64,
    /// Messages received, events and others.
    pub messages_in: u64,
    /// Messages sent, subscribes and pings included.
    pub messages_out: u64,
    /// Events of subscribed channels that were received.
    pub events: u64,
    /// Attempts to connect.
    pub attempts: u64,
    /// Connections that the server established.
    pub connections: u64,
    /// Those of them that took the place of one that was lost.
    pub reconnects: u64,
    /// Gaps that have ended, each channel's for itself.
    pub gaps: u64,
    /// The longest of them.
    pub longest_gap: Duration,
    /// All of them together.
    pub total_gap: Duration,
    /// The time from the last `pusher:ping` that was answered to its `pusher:pong`.
    pub round_trip: Option<Duration>,
    /// Since when the connection is established, by this device's clock; none when it is not.
    pub connected_since: Option<SystemTime>,
    /// What has been dropped or tolerated.
    pub counters: ClientCounters,
}

/// What a turn of the task has counted.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) protocol: Counters,
    pub(crate) traffic: Traffic,
    pub(crate) round_trip: Option<Duration>,
}

/// Bytes and messages in both directions.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) messages_in: u32,
    pub(crate) messages_out: u32,
}

/// What is kept of it all. A session that does nothing has it too, so it is small.
#[derive(Debug, Default)]
pub(super) struct Totals {
    bytes_in: u64,
    bytes_out: u64,
    messages_in: u64,
    messages_out: u64,
    events: u64,
    longest_gap_nanos: u64,
    total_gap_nanos: u64,
    /// 0 before the first.
    round_trip_nanos: u64,
    connected_since: Option<SystemTime>,
    connections: u32,
    reconnects: u32,
    gaps: u32,
}

impl Totals {
    pub(super) fn add(&mut self, tally: &Tally, events: u32) {
        self.add_traffic(tally.traffic);
        self.events += events as u64;
        if let Some(round_trip) = tally.round_trip {
            self.round_trip_nanos = nanos(round_trip);
        }
    }

    const fn add_traffic(&mut self, Traffic { bytes_in, bytes_out, messages_in, messages_out }: Traffic) {
        self.bytes_in = self.bytes_in.wrapping_add(bytes_in);
        self.bytes_out = self.bytes_out.wrapping_add(bytes_out);
        self.messages_in += messages_in as u64;
        self.messages_out += messages_out as u64;
    }
}

impl<T: Send + 'static> Core<T> {
    /// Counts what a socket that is gone has carried since the last turn.
    pub(crate) fn count_traffic(&self, traffic: Traffic) {
        self.lock().totals.add_traffic(traffic);
    }

    /// Counts a connection that was established at `since`.
    pub(crate) fn count_connection(&self, since: SystemTime, is_reconnect: bool) {
        let totals = &mut self.lock().totals;
        totals.connected_since = Some(since);
        totals.connections += 1;
        totals.reconnects += u32::from(is_reconnect);
    }

    /// Counts a gap that has ended.
    pub(crate) fn count_gap(&self, length: Duration) {
        let totals = &mut self.lock().totals;
        totals.gaps += 1;
        totals.longest_gap_nanos = totals.longest_gap_nanos.max(nanos(length));
        totals.total_gap_nanos = totals.total_gap_nanos.saturating_add(nanos(length));
    }

    pub(crate) fn figures(&self) -> ClientFigures {
        let shared = self.lock();
        let totals = &shared.totals;
        let is_connected = shared.state == ConnectionState::Connected;
        ClientFigures {
            bytes_in: totals.bytes_in,
            bytes_out: totals.bytes_out,
            messages_in: totals.messages_in,
            messages_out: totals.messages_out,
            events: totals.events,
            attempts: shared.counters.protocol.attempts,
            connections: totals.connections.into(),
            reconnects: totals.reconnects.into(),
            gaps: totals.gaps.into(),
            longest_gap: Duration::from_nanos(totals.longest_gap_nanos),
            total_gap: Duration::from_nanos(totals.total_gap_nanos),
            round_trip: (totals.round_trip_nanos > 0).then(|| Duration::from_nanos(totals.round_trip_nanos)),
            connected_since: totals.connected_since.filter(|_| is_connected),
            counters: shared.counters,
        }
    }
}

/// At least one; after 584 years it stands still.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).max(1)
}

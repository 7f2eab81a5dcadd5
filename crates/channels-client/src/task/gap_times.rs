//! When a gap was, by the clock that the server's own records go by.

use std::{collections::BTreeMap, time::SystemTime};

use channels_proto::{ChannelName, Time};

use crate::{Clock, ServerClock, ServerTime, clock::WallTimes, server_time::Bounds};

/// Turns the machine's times into the consumer's.
#[derive(Debug)]
pub(super) struct GapTimes {
    server_time: ServerTime,
    wall_times: WallTimes,
    /// By which bounds the beginning of a gap that is still open was told.
    open: BTreeMap<ChannelName, Bounds>,
}

/// From when to when a gap was, and by whose clock.
pub(super) struct Span {
    pub(super) since: SystemTime,
    pub(super) until: SystemTime,
    pub(super) clock: Option<ServerClock>,
}

impl GapTimes {
    pub(super) fn new(server_time: ServerTime) -> Self {
        Self { server_time, wall_times: WallTimes::default(), open: BTreeMap::new() }
    }

    /// Returns the time of day of `at` by this device's clock.
    pub(super) fn wall(&mut self, clock: &dyn Clock, at: Time) -> SystemTime {
        self.wall_times.of(clock, at)
    }

    /// A gap of `channel` begins at `since`.
    pub(super) fn begin(
        &mut self,
        clock: &dyn Clock,
        channel: &ChannelName,
        since: Time,
    ) -> (SystemTime, Option<ServerClock>) {
        match self.server_time.bounds(since) {
            Some(bounds) => {
                self.open.insert(channel.clone(), bounds);
                (bounds.earliest(since), Some(self.server_time.tell(bounds)))
            }
            None => (self.wall(clock, since), None),
        }
    }

    /// The gap of `channel` has ended. What was missed in it was dated by the server's clock as it was then: when that has
    /// been set meanwhile, by the one from before and by the one from after.
    pub(super) fn end(&mut self, clock: &dyn Clock, channel: &ChannelName, since: Time, until: Time) -> Span {
        let told = self.close(channel);
        let Some(bounds) = self.server_time.bounds(since) else {
            let (since, until) = (self.wall(clock, since), self.wall(clock, until));
            return Span { since, until, clock: None };
        };
        let all = told.map_or(bounds, |told| told.hull(bounds));
        Span { since: all.earliest(since), until: all.latest(until), clock: Some(self.server_time.tell(bounds)) }
    }

    /// The gap of `old`, if there is one, is `new`'s from now on.
    pub(super) fn hand_on(&mut self, old: &ChannelName, new: &ChannelName) {
        if let Some(bounds) = self.open.remove(old) {
            self.open.insert(new.clone(), bounds);
        }
    }

    /// Nobody waits for the end of this channel's gap any more.
    pub(super) fn forget(&mut self, channel: &ChannelName) {
        self.close(channel);
    }

    /// All gaps are over: the session is.
    pub(super) fn clear(&mut self) {
        self.open = BTreeMap::new();
    }

    /// Takes a gap out, and with the last one the memory of all.
    fn close(&mut self, channel: &ChannelName) -> Option<Bounds> {
        let closed = self.open.remove(channel);
        if self.open.is_empty() {
            self.open = BTreeMap::new();
        }
        closed
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, Mutex},
        time::Duration,
    };

    use http::{HeaderMap, header};

    use super::*;

    #[derive(Debug)]
    struct Device(Mutex<Time>);

    impl Clock for Device {
        fn now(&self) -> Time {
            *self.0.lock().unwrap()
        }

        /// An hour fast.
        fn wall(&self) -> SystemTime {
            server(self.now()) + HOUR
        }
    }

    impl Device {
        fn at(&self, second: u64) -> Time {
            let now = Time::ZERO + Duration::from_secs(second);
            *self.0.lock().unwrap() = now;
            now
        }
    }

    fn server(at: Time) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_709_633_472) + at.saturating_since(Time::ZERO)
    }

    fn headers(date: SystemTime) -> HeaderMap {
        HeaderMap::from_iter([(header::DATE, httpdate::fmt_http_date(date).parse().unwrap())])
    }

    fn gap_times() -> (Arc<Device>, ServerTime, GapTimes, ChannelName) {
        let device = Arc::new(Device(Mutex::new(Time::ZERO)));
        let server_time = ServerTime::new(Arc::<Device>::clone(&device));
        let times = GapTimes::new(server_time.clone());
        (device, server_time, times, ChannelName::parse("private-a").unwrap())
    }

    // I27: the estimate gets better while the gap is open, and the gap does not get narrower.
    #[test]
    fn the_gap_begins_no_later_than_was_said_when_it_opened() {
        let (device, server_time, mut times, channel) = gap_times();
        let sent = device.at(10);
        let received = device.at(14);
        server_time.learn(sent, &headers(server(received)));
        let (told, clock) = times.begin(device.as_ref(), &channel, received);
        assert!(told <= server(received) && clock.is_some());
        let now = device.at(20);
        server_time.learn(now, &headers(server(now)));
        let Span { since, until, clock } = times.end(device.as_ref(), &channel, received, now);
        assert!(since <= told && until >= server(now), "{since:?} {told:?}");
        assert!(clock.unwrap().uncertainty < Duration::from_secs(1), "{clock:?}");
    }

    // I27: what was said of the gap of a channel binds the one that takes its place.
    #[test]
    fn a_gap_that_is_handed_on_begins_no_later_than_was_said_when_it_opened() {
        let (device, server_time, mut times, channel) = gap_times();
        let successor = ChannelName::parse("private-b").unwrap();
        let sent = device.at(10);
        let received = device.at(14);
        server_time.learn(sent, &headers(server(received)));
        let (told, _) = times.begin(device.as_ref(), &channel, received);
        times.hand_on(&channel, &successor);
        let now = device.at(20);
        server_time.learn(now, &headers(server(now)));
        let Span { since, .. } = times.end(device.as_ref(), &successor, received, now);
        assert!(since <= told, "{since:?} {told:?}");
    }

    // Z01, I27: events before the server's clock was set have the old dates, and those after it the new ones.
    #[test]
    fn a_gap_in_which_the_servers_clock_is_set_contains_both_its_times() {
        for set in [HOUR, Duration::ZERO] {
            let (device, server_time, mut times, channel) = gap_times();
            let lost = device.at(10);
            // Forward by an hour, or back by one.
            let (before, after) = (server(lost) + (HOUR - set), |at| server(at) + set);
            server_time.learn(lost, &headers(before));
            times.begin(device.as_ref(), &channel, lost);
            let back = device.at(60);
            server_time.learn(back, &headers(after(back)));
            let Span { since, until, .. } = times.end(device.as_ref(), &channel, lost, back);
            let last_before = before + Duration::from_secs(50);
            assert!(since <= before && since <= after(lost), "{since:?}");
            assert!(until >= last_before && until >= after(back), "{until:?}");
        }
    }

    #[test]
    fn without_a_date_the_devices_clock_is_used_and_that_is_said() {
        let (device, _, mut times, channel) = gap_times();
        let lost = device.at(10);
        assert_eq!(times.begin(device.as_ref(), &channel, lost), (server(lost) + HOUR, None));
        let back = device.at(60);
        let Span { since, until, clock } = times.end(device.as_ref(), &channel, lost, back);
        assert_eq!((since, until, clock), (server(lost) + HOUR, server(back) + HOUR, None));
    }

    const HOUR: Duration = Duration::from_secs(3600);
}

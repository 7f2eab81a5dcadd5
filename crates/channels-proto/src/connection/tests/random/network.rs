//! One direction of a socket: what is sent arrives in order and late. A stall lets one old message through first, and
//! the others later or never.

use std::collections::VecDeque;

use super::*;

pub(super) struct Pipe<T> {
    /// With the time at which each arrives; never earlier than the one before it.
    under_way: VecDeque<(Time, T)>,
    last_arrival: Time,
    stall: Option<Stall>,
}

struct Stall {
    /// When the first message arrives.
    first: Time,
    /// Before that no other one arrives.
    rest: Time,
    first_is_through: bool,
}

impl<T> Pipe<T> {
    pub(super) const fn new() -> Self {
        Self { under_way: VecDeque::new(), last_arrival: Time::ZERO, stall: None }
    }

    pub(super) fn send(&mut self, now: Time, delay: Duration, message: T) {
        self.put(now + delay, message);
    }

    /// Holds back what has not arrived by `now`, and what is sent from now on.
    pub(super) fn stall(&mut self, now: Time, first: Time, rest: Time) {
        let held: Vec<_> = self.under_way.drain(self.arrived(now)..).collect();
        self.last_arrival = self.under_way.back().map_or(now, |(arrives, _)| *arrives);
        self.stall = Some(Stall { first, rest, first_is_through: false });
        for (arrives, message) in held {
            self.put(arrives, message);
        }
    }

    /// Loses what has not arrived by `now`; the stall is over.
    pub(super) fn lose(&mut self, now: Time) {
        self.under_way.truncate(self.arrived(now));
        (self.last_arrival, self.stall) = (now, None);
    }

    /// When the next message arrives.
    pub(super) fn next_arrival(&self) -> Option<Time> {
        self.under_way.front().map(|(arrives, _)| *arrives)
    }

    pub(super) fn receive(&mut self, now: Time) -> Option<T> {
        let has_arrived = self.next_arrival().is_some_and(|arrives| arrives <= now);
        has_arrived.then(|| self.under_way.pop_front()).flatten().map(|(_, message)| message)
    }

    fn arrived(&self, now: Time) -> usize {
        self.under_way.partition_point(|(arrives, _)| *arrives <= now)
    }

    fn put(&mut self, arrives: Time, message: T) {
        let mut arrives = arrives.max(self.last_arrival);
        if let Some(stall) = &mut self.stall {
            arrives = arrives.max(if stall.first_is_through { stall.rest } else { stall.first });
            stall.first_is_through = true;
        }
        self.last_arrival = arrives;
        self.under_way.push_back((arrives, message));
    }
}

#[test]
fn a_stall_lets_one_old_message_through_first_and_keeps_the_order() {
    let mut pipe = Pipe::new();
    for second in 1..=4 {
        pipe.send(at(f64::from(second)), Duration::from_secs(1), second);
    }
    pipe.stall(at(2.5), at(10.0), at(20.0));
    pipe.send(at(6.0), Duration::from_secs(1), 5);
    pipe.send(at(30.0), Duration::from_secs(1), 6);
    let expected = [(2.0, 1), (10.0, 2), (20.0, 3), (20.0, 4), (20.0, 5), (31.0, 6)];
    let expected = expected.map(|(second, number)| (at(second), number));
    assert!(pipe.under_way.iter().eq(&expected), "{:?}", pipe.under_way);
    assert_eq!((pipe.receive(at(2.0)), pipe.receive(at(9.9))), (Some(1), None));
    pipe.lose(at(10.0));
    assert_eq!((pipe.receive(at(40.0)), pipe.receive(at(40.0))), (Some(2), None));
}

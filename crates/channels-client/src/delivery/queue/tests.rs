#![expect(clippy::wildcard_enum_match_arm, reason = "a test looks at the items it is about")]

use std::time::{Duration, SystemTime};

use channels_proto::{ChannelName, ConnectionError, ConnectionState, GapCause, SubscriptionError};

use super::*;
use crate::{Continuity, ServerClock};

fn channel(name: &str) -> ChannelName {
    ChannelName::parse(name).unwrap()
}

fn queue(max_items: usize, max_bytes: usize) -> Queue<u32> {
    Queue::new(QueueLimits { max_items, max_bytes })
}

fn event(number: u32) -> Entry<u32> {
    Entry::event(channel("a"), 100, false, number)
}

fn kept(number: u32) -> Entry<u32> {
    Entry::event(channel("a"), 100, true, number)
}

fn state(from: ConnectionState, to: ConnectionState) -> Entry<u32> {
    Entry::report(Item::StateChanged { from, to })
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn push_all(queue: &mut Queue<u32>, entries: impl IntoIterator<Item = Entry<u32>>) -> u64 {
    let mut dropped = Vec::new();
    entries.into_iter().map(|entry| queue.push(entry, &mut dropped)).sum()
}

fn pop(queue: &mut Queue<u32>) -> Option<Item<u32>> {
    queue.pop().map(|entry| entry.item)
}

fn drain(queue: &mut Queue<u32>) -> Vec<Item<u32>> {
    std::iter::from_fn(|| pop(queue)).collect()
}

// B01, B03, I26
#[test]
fn the_oldest_events_give_way_and_their_number_stands_in_their_place() {
    let mut queue = queue(3, usize::MAX);
    let connected = || state(ConnectionState::Connecting, ConnectionState::Connected);
    let lost = push_all(&mut queue, [connected()].into_iter().chain((0..10_000).map(event)));
    assert_eq!(lost, 9_997);
    let expected = [
        connected().item,
        Item::Lagged { channel: None, dropped: 9_997 },
        Item::Event(9_997),
        Item::Event(9_998),
        Item::Event(9_999),
    ];
    assert_eq!(drain(&mut queue), expected);
    assert_eq!((queue.events, queue.bytes, queue.reports), (0, 0, 0));
}

// B04, I36
#[test]
fn losses_on_either_side_of_a_report_stay_on_their_side_until_it_is_read() {
    let mut queue = queue(2, usize::MAX);
    let report = || state(ConnectionState::Connected, ConnectionState::Reconnecting);
    push_all(&mut queue, [event(1), event(2), report(), event(3), event(4), event(5)]);
    let expected = [
        Item::Lagged { channel: None, dropped: 2 },
        report().item,
        Item::Lagged { channel: None, dropped: 1 },
        Item::Event(4),
        Item::Event(5),
    ];
    assert_eq!(drain(&mut queue), expected);
}

// Y02: a frame of 100 bytes counts 228.
#[test]
fn bytes_bound_the_queue_as_items_do() {
    let mut queue = queue(usize::MAX, 3 * 228);
    assert_eq!(push_all(&mut queue, (0..4).map(event)), 1);
    assert_eq!(
        drain(&mut queue),
        [Item::Lagged { channel: None, dropped: 1 }, Item::Event(1), Item::Event(2), Item::Event(3)]
    );
    let huge = Entry::event(channel("a"), 10_000, false, 9);
    assert_eq!(push_all(&mut queue, [huge]), 1);
    assert_eq!(drain(&mut queue), [Item::Lagged { channel: None, dropped: 1 }]);
}

#[test]
fn a_kept_event_stays_while_any_other_event_can_go() {
    let mut queue = queue(2, usize::MAX);
    push_all(&mut queue, [kept(1), event(2), event(3), event(4)]);
    assert_eq!(drain(&mut queue), [Item::Event(1), Item::Lagged { channel: None, dropped: 2 }, Item::Event(4)]);
}

// I36: a server cannot make the queue grow with events that are to be kept.
#[test]
fn kept_events_alone_are_bounded_too() {
    let mut queue = queue(2, usize::MAX);
    push_all(&mut queue, (0..5).map(kept));
    assert_eq!(drain(&mut queue), [Item::Lagged { channel: None, dropped: 3 }, Item::Event(3), Item::Event(4)]);
}

#[test]
fn the_place_of_a_loss_is_found_again_after_items_were_taken() {
    let mut queue = queue(3, usize::MAX);
    let report = || state(ConnectionState::Connected, ConnectionState::Reconnecting);
    push_all(&mut queue, [event(0), event(1), report(), event(2)]);
    assert_eq!(pop(&mut queue), Some(Item::Event(0)));
    push_all(&mut queue, [event(3), event(4), event(5)]);
    let expected = [
        Item::Lagged { channel: None, dropped: 1 },
        report().item,
        Item::Lagged { channel: None, dropped: 1 },
        Item::Event(3),
        Item::Event(4),
        Item::Event(5),
    ];
    assert_eq!(drain(&mut queue), expected);
}

/// A model of the queue that is slow and plain: every event that was pushed is there or counted, in order.
#[test]
fn whatever_is_pushed_and_popped_every_event_is_delivered_or_counted_at_its_place() {
    let mut random = 12_345_u32;
    let mut next = move |below: u32| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 16) % below
    };
    for _ in 0..300 {
        let mut queue = queue(1 + next(6) as usize, 500 + next(2_000) as usize);
        let (mut pushed, mut seen) = (0, 0);
        for _ in 0..200 {
            match next(10) {
                0..=5 => {
                    let entry = Entry::event(channel("a"), next(300) as usize, next(7) == 0, pushed);
                    pushed += 1;
                    push_all(&mut queue, [entry]);
                }
                6 => {
                    push_all(&mut queue, [state(ConnectionState::Connected, ConnectionState::Reconnecting)]);
                }
                7 => {
                    if let Some(entry) = queue.pop() {
                        queue.put_back(entry, &mut Vec::new());
                    }
                }
                _ => check(pop(&mut queue).as_ref(), &mut seen),
            }
            assert!(queue.events <= queue.limits.max_items && queue.bytes <= queue.limits.max_bytes);
            let lagged = |entry: &Entry<u32>| matches!(entry.item, Item::Lagged { .. });
            let pairs = queue.entries.iter().zip(queue.entries.iter().skip(1));
            assert!(pairs.into_iter().all(|(one, two)| !(lagged(one) && lagged(two))), "unmerged losses");
        }
        for item in drain(&mut queue) {
            check(Some(&item), &mut seen);
        }
        assert_eq!(seen, pushed);
    }

    fn check(item: Option<&Item<u32>>, seen: &mut u32) {
        match item {
            Some(Item::Event(number)) => {
                assert_eq!(number, seen, "what came before was neither delivered nor counted");
                *seen += 1;
            }
            Some(Item::Lagged { dropped, .. }) => *seen += u32::try_from(*dropped).unwrap(),
            _ => {}
        }
    }
}

// I25
#[test]
fn the_events_of_one_channel_can_be_taken_out() {
    let mut queue = queue(10, usize::MAX);
    let other = Entry::event(channel("b"), 100, false, 7);
    push_all(&mut queue, [event(1), other, event(2)]);
    let is_of = |name: &'static str| {
        move |entry: &Entry<u32>| entry.event.as_ref().is_some_and(|event| event.channel == Some(channel(name)))
    };
    assert_eq!(queue.take_if(is_of("a")).len(), 2);
    assert_eq!(queue.take_if(is_of("c")).len(), 0);
    assert_eq!((queue.events, queue.bytes), (1, 228));
    assert_eq!(drain(&mut queue), [Item::Event(7)]);
}

fn failed(message: &str) -> Entry<u32> {
    let error = ConnectionError::Lost { message: message.to_owned() };
    Entry::report(Item::ConnectionFailed { error, retry_in: None })
}

fn server_error(message: &str) -> Entry<u32> {
    Entry::report(Item::ServerError { code: None, message: message.to_owned() })
}

// B04
#[test]
fn repeated_failures_without_anything_between_are_merged_into_the_last() {
    let mut queue = queue(10, usize::MAX);
    push_all(&mut queue, [failed("one"), failed("two"), event(1), failed("three")]);
    assert_eq!(drain(&mut queue), [failed("two").item, Item::Event(1), failed("three").item]);
    push_all(&mut queue, [server_error("x"), server_error("x"), server_error("y")]);
    assert_eq!(drain(&mut queue), [server_error("x").item, server_error("y").item]);
    assert_eq!(queue.reports, 0);
}

fn subscribed(name: &str, continuity: Continuity) -> Item<u32> {
    Item::Subscribed { channel: channel(name), continuity, members: None }
}

const CAUSE: GapCause = GapCause::TransportLost;

fn interrupted(name: &str, since: u64) -> Item<u32> {
    Item::Interrupted { channel: channel(name), since: at(since), clock: None, cause: CAUSE }
}

const fn gap(since: SystemTime, until: SystemTime) -> Continuity {
    Continuity::Gap { since, until, clock: None, cause: CAUSE }
}

// I27: of gaps by different clocks one is made that contains them all.
#[test]
fn gaps_folded_into_one_are_told_by_the_clock_that_is_known_last() {
    use ConnectionState::{Connected, Reconnecting};
    let minute = Duration::from_secs(60);
    let by =
        |since: u64, until: u64, clock| Continuity::Gap { since: at(since), until: at(until), clock, cause: CAUSE };
    let fast = Some(ServerClock { ahead_ms: -300_000, uncertainty: minute });
    let fold = |first, second| {
        let mut queue = queue(8, usize::MAX);
        push_all(&mut queue, [Entry::report(subscribed("a", first)), Entry::report(subscribed("a", second))]);
        for _ in 0..MIN_REPORTS {
            push_all(&mut queue, [state(Connected, Reconnecting), state(Reconnecting, Connected)]);
        }
        let items = drain(&mut queue);
        let gaps = items.into_iter().filter_map(|item| match item {
            Item::Subscribed { continuity, .. } => Some(continuity),
            _ => None,
        });
        gaps.collect::<Vec<_>>()
    };
    assert_eq!(fold(by(1_000, 1_010, None), by(800, 810, fast)), [by(640, 810, fast)]);
    assert_eq!(fold(by(1_000, 1_010, fast), by(1_020, 1_030, fast)), [by(1_000, 1_030, fast)]);
    // The server's clock was set back.
    assert_eq!(fold(by(1_000, 1_010, fast), by(500, 510, fast)), [by(500, 1_010, fast)]);
}

// B04, B08, I27, I36
#[test]
fn a_consumer_that_comes_back_after_a_day_of_flapping_gets_one_gap_and_the_present_state() {
    use ConnectionState::{Connected, Connecting, Disconnected, Reconnecting};
    let mut queue = queue(8, usize::MAX);
    push_all(&mut queue, [state(Disconnected, Connecting), state(Connecting, Connected)]);
    push_all(&mut queue, [Entry::report(subscribed("a", Continuity::Fresh)), event(1), kept(2)]);
    for cycle in 1..=86_400 {
        let up = cycle * 10;
        push_all(&mut queue, [state(Connected, Reconnecting), failed("gone")]);
        push_all(&mut queue, [Entry::report(interrupted("a", up - 1)), Entry::report(interrupted("b", up - 1))]);
        push_all(&mut queue, [state(Reconnecting, Connecting), state(Connecting, Connected)]);
        push_all(&mut queue, [Entry::report(subscribed("a", gap(at(up - 1), at(up))))]);
        assert!(queue.entries.len() < 2 * MIN_REPORTS, "{}", queue.entries.len());
    }
    let items = drain(&mut queue);
    assert_eq!(items[0], Item::Lagged { channel: None, dropped: 1 });
    assert_eq!(items.iter().filter(|item| matches!(item, Item::Event(_))).collect::<Vec<_>>(), [&Item::Event(2)]);

    let states = items.iter().filter_map(|item| match item {
        Item::StateChanged { from, to } => Some((*from, *to)),
        _ => None,
    });
    let last = states.fold(Disconnected, |known, (from, to)| {
        assert_eq!(known, from);
        assert_ne!(from, to);
        to
    });
    assert_eq!(last, Connected);

    let gaps = items.iter().filter_map(|item| match item {
        Item::Subscribed { continuity: Continuity::Gap { since, until, .. }, .. } => Some((*since, *until)),
        _ => None,
    });
    let covered = gaps.fold(at(0), |covered, (since, until)| {
        assert!(since <= covered + Duration::from_secs(9), "events between {covered:?} and {since:?} are in no gap");
        until
    });
    assert_eq!(covered, at(864_000));

    let told = items.iter().filter(|item| !matches!(item, Item::Event(_) | Item::Lagged { .. }));
    let (folded, told) = told.fold((0, 0), |(folded, told), item| match item {
        Item::Coalesced { reports } => (folded + reports, told),
        _ => (folded, told + 1),
    });
    assert_eq!(folded + told, 3 + 7 * 86_400);
}

// R06
#[test]
fn folding_forgets_a_failure_and_a_suspension_that_are_over() {
    use ConnectionState::{Connected, Connecting, Disconnected};
    let suspended =
        |channel: Option<&str>| Entry::report(Item::Suspended { channel: channel.map(self::channel), since: at(1) });
    let failed = |name: &str| {
        let error = SubscriptionError::Unacknowledged;
        let (channel, since, retry_in) = (channel(name), at(1), Some(Duration::from_secs(60)));
        Entry::report(Item::SubscriptionFailed { channel, error, since, failures: 3, retry_in })
    };
    let entries = [
        state(Disconnected, Connecting),
        suspended(None),
        state(Connecting, Connected),
        failed("a"),
        failed("b"),
        suspended(Some("a")),
        suspended(Some("b")),
        Entry::report(subscribed("a", Continuity::Fresh)),
    ];
    let folded = fold::fold(entries.into_iter().collect(), &mut Vec::new());
    let items: Vec<_> = folded.into_iter().map(|entry: Entry<u32>| entry.item).collect();
    let expected: Vec<_> = [
        Entry::report(Item::Coalesced { reports: 4 }),
        state(Disconnected, Connected),
        failed("b"),
        suspended(Some("b")),
        Entry::report(subscribed("a", Continuity::Fresh)),
    ]
    .into_iter()
    .map(|entry| entry.item)
    .collect();
    assert_eq!(items, expected);
}

// I26, I27: the channel was left and wanted again; what is in the gap has not been loaded yet.
#[test]
fn a_gap_that_nobody_has_read_is_not_forgotten_for_a_first_subscription() {
    let continuity_of = |reports: Vec<Item<u32>>| {
        let folded = fold::fold(reports.into_iter().map(Entry::report).collect(), &mut Vec::new());
        let subscribed = folded.into_iter().filter_map(|entry| match entry.item {
            Item::Subscribed { continuity, .. } => Some(continuity),
            _ => None,
        });
        subscribed.collect::<Vec<_>>()
    };
    let fresh = || subscribed("a", Continuity::Fresh);
    let gap = |since, until| gap(at(since), at(until));
    assert_eq!(continuity_of(vec![fresh(), subscribed("a", gap(1, 2)), fresh()]), [gap(1, 2)]);
    assert_eq!(continuity_of(vec![subscribed("a", gap(1, 2)), fresh(), subscribed("a", gap(5, 6))]), [gap(1, 6)]);
    assert_eq!(continuity_of(vec![fresh(), fresh()]), [Continuity::Fresh]);
}

#[test]
fn folding_keeps_what_failed_and_what_is_interrupted_now() {
    let error = SubscriptionError::from(channels_proto::AuthorizationError::denied(403));
    let given_up = Item::SubscriptionFailed { channel: channel("b"), error, since: at(1), failures: 1, retry_in: None };
    let there_and_back = [
        state(ConnectionState::Connecting, ConnectionState::Connected),
        state(ConnectionState::Connected, ConnectionState::Connecting),
    ];
    let reports = [given_up.clone(), interrupted("a", 1), subscribed("a", gap(at(1), at(2))), interrupted("a", 3)];
    let entries = there_and_back.into_iter().chain(reports.into_iter().map(Entry::report)).chain([failed("x")]);
    let folded = fold::fold(entries.collect(), &mut Vec::new());
    let items: Vec<_> = folded.into_iter().map(|entry| entry.item).collect();
    let expected = [
        Item::Coalesced { reports: 3 },
        given_up,
        subscribed("a", gap(at(1), at(2))),
        interrupted("a", 3),
        failed("x").item,
    ];
    assert_eq!(items, expected);
}

// I27: the gap of a channel that was replaced ends with its successor's acknowledgement, not before it.
#[test]
fn folding_keeps_an_interruption_before_the_subscription_of_the_channel_that_took_over() {
    let reports = || [interrupted("z", 1), subscribed("b", gap(at(1), at(2))), interrupted("b", 3)];
    let folded = fold::fold(reports().into_iter().map(Entry::report).collect(), &mut Vec::new());
    let items: Vec<_> = folded.into_iter().map(|entry: Entry<u32>| entry.item).collect();
    assert_eq!(items[1..], reports());
}

#[test]
fn a_kept_event_that_gives_way_hides_no_other_event_that_may_go() {
    let mut queue = queue(2, usize::MAX);
    push_all(&mut queue, [kept(1), event(2), kept(3), kept(4)]);
    push_all(&mut queue, [event(5)]);
    assert_eq!(
        drain(&mut queue),
        [
            Item::Lagged { channel: None, dropped: 2 },
            Item::Event(3),
            Item::Event(4),
            Item::Lagged { channel: None, dropped: 1 }
        ]
    );
}

// Y01: what waits once in a while costs an idle session nothing.
#[test]
fn an_empty_queue_keeps_no_room_for_few_and_some_after_a_burst() {
    let mut queue = Queue::<u32>::new(QueueLimits::default());
    let push = |queue: &mut Queue<u32>, count: u32| {
        for number in 0..count {
            queue.push(Entry::report(Item::Event(number)), &mut Vec::new());
        }
        while queue.pop().is_some() {}
    };
    push(&mut queue, 3);
    assert_eq!(queue.entries.capacity(), 0);
    push(&mut queue, 200);
    assert!((1..=KEPT_CAPACITY).contains(&queue.entries.capacity()), "{}", queue.entries.capacity());
}

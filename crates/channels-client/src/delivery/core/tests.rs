use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
    mpsc,
};

use channels_proto::{ChannelName, Time};
use futures_util::FutureExt;

use super::{super::figures::Tally, *};
use crate::delivery::{Delivery, Turn};

fn core() -> Arc<Core<u32>> {
    Arc::new(Core::new(QueueLimits::default(), Handle::current(), None))
}

fn channel(name: &str) -> ChannelName {
    ChannelName::parse(name).unwrap()
}

fn event(name: &str, number: u32) -> Entry<u32> {
    Entry::event(channel(name), 10, false, number)
}

fn turn(session: u64, entries: Vec<Entry<u32>>) -> Turn<u32> {
    let mut turn = Turn::default();
    turn.begin(session);
    turn.entries = entries;
    turn
}

fn connected(core: &Arc<Core<u32>>) {
    core.change(Intent::connect);
    let (from, to) = (ConnectionState::Disconnected, ConnectionState::Connected);
    let mut turn = turn(0, vec![Entry::report(Item::StateChanged { from, to })]);
    turn.state = Some((to, SocketId::parse("1.1")));
    core.hand_over(&mut turn, &Tally::default(), false);
}

fn taken(core: &Core<u32>) -> Vec<Item<u32>> {
    std::iter::from_fn(|| core.try_next()).collect()
}

// I13, D02: the task is in the middle of a turn while another thread disconnects.
#[tokio::test]
async fn what_a_turn_of_an_ended_session_brings_is_discarded() {
    let core = core();
    connected(&core);
    assert_eq!(taken(&core).len(), 1);
    core.disconnect();
    let mut late = turn(0, vec![event("a", 1)]);
    late.state = Some((ConnectionState::Connected, SocketId::parse("1.1")));
    core.hand_over(&mut late, &Tally::default(), false);
    assert!(late.entries.is_empty() && late.state.is_none());
    assert_eq!((core.state(), core.socket_id()), (ConnectionState::Disconnected, None));
    let (from, to) = (ConnectionState::Connected, ConnectionState::Disconnected);
    assert_eq!(taken(&core), [Item::StateChanged { from, to }]);
    core.hand_over(&mut turn(1, vec![event("a", 2)]), &Tally::default(), false);
    assert_eq!(taken(&core), [Item::Event(2)]);
}

// I10: reports that nobody saw are not referred to.
#[tokio::test]
async fn the_report_of_a_disconnect_begins_where_the_consumer_is() {
    let core = core();
    connected(&core);
    core.disconnect();
    assert_eq!(taken(&core), []);
    core.change(Intent::connect);
    core.hand_over(&mut turn(1, Vec::new()), &Tally::default(), false);
    core.disconnect();
    core.disconnect();
    assert_eq!(taken(&core), []);
}

// D04: the caller connects while the task is about to hand over that a session has ended by itself.
#[tokio::test]
async fn a_session_that_ends_while_the_caller_connects_again_is_no_end_of_the_stream() {
    let is_over = |core: &Core<u32>| core.lock().poll_end(&mut Context::from_waker(Waker::noop()), false).is_ready();
    let carry_out = |core: &Arc<Core<u32>>, state, version| {
        let mut turn = turn(0, Vec::new());
        (turn.state, turn.version) = (Some((state, None)), version);
        core.hand_over(&mut turn, &Tally::default(), false);
    };
    let core = core();
    assert!(!is_over(&core), "nothing has begun");
    core.change(Intent::connect);
    assert!(!is_over(&core), "the task has not heard of it");
    carry_out(&core, ConnectionState::Connected, 1);
    core.change(Intent::connect);
    carry_out(&core, ConnectionState::Disconnected, 1);
    assert!(!is_over(&core), "the second connect is still to be carried out");
    carry_out(&core, ConnectionState::Connecting, 2);
    assert!(!is_over(&core));
    carry_out(&core, ConnectionState::Disconnected, 2);
    assert!(is_over(&core));
    core.disconnect();
    assert!(is_over(&core));
    core.change(Intent::connect);
    assert!(!is_over(&core));
    core.disconnect();
    assert!(is_over(&core), "the last word is to disconnect");
}

// D01: nothing of the session was told, so nothing but its end wakes whoever waits.
#[tokio::test]
async fn a_stream_that_is_waited_for_ends_with_a_disconnect_that_leaves_no_report() {
    struct Woken(AtomicUsize);
    impl std::task::Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let core = core();
    let woken = Arc::new(Woken(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut cx = Context::from_waker(&waker);
    core.change(Intent::connect);
    assert!(core.poll_next(&mut cx).is_pending());
    core.disconnect();
    assert_eq!(woken.0.load(Ordering::SeqCst), 1);
    assert_eq!(core.poll_next(&mut cx), Poll::Ready(None));
}

// I25: the task has not heard of it yet.
#[tokio::test]
async fn events_of_a_channel_that_was_left_are_discarded_until_the_task_knows() {
    let core = core();
    core.change(|intent| intent.subscribe(channel("a"), 10)).unwrap();
    core.unsubscribe(&channel("a"));
    core.change(|intent| intent.subscribe(channel("a"), 10)).unwrap();
    core.hand_over(&mut turn(0, vec![event("a", 1), event("b", 2)]), &Tally::default(), false);
    assert_eq!(taken(&core), [Item::Event(2)]);
    let mut done = CarriedOut::default();
    let steps = core.steps(&mut done).unwrap().0;
    core.carried_out(steps.version);
    core.hand_over(&mut turn(0, vec![event("a", 3)]), &Tally::default(), false);
    assert_eq!(taken(&core), [Item::Event(3)]);
}

// A04, A08: what is outdated is not told, whether it waited or the task had not heard yet that the channel was left.
#[tokio::test]
async fn nothing_is_told_of_a_channel_that_was_left() {
    let entries = |name: &str| {
        let (channel, since) = (channel(name), std::time::SystemTime::UNIX_EPOCH);
        let (error, cause) = (channels_proto::SubscriptionError::Unacknowledged, channels_proto::GapCause::Silent);
        let reports = [
            Item::Subscribed { channel: channel.clone(), continuity: crate::Continuity::Fresh, members: None },
            Item::Suspended { channel: Some(channel.clone()), since },
            Item::Interrupted { channel: channel.clone(), since, clock: None, cause },
            Item::SubscriptionFailed { channel, error, since, failures: 1, retry_in: None },
        ];
        reports.into_iter().map(Entry::report).collect::<Vec<_>>()
    };
    let both = || entries("left").into_iter().chain(entries("kept")).collect();
    let core = core();
    for name in ["left", "kept"] {
        core.change(|intent| intent.subscribe(channel(name), 10)).unwrap();
    }
    core.hand_over(&mut turn(0, both()), &Tally::default(), false);
    core.unsubscribe(&channel("left"));
    assert_eq!(taken(&core).len(), 4, "what waited");
    core.hand_over(&mut turn(0, both()), &Tally::default(), false);
    assert_eq!(taken(&core).len(), 4, "what the task told before it heard of it");
    core.carried_out(core.intent(Intent::version));
    core.hand_over(&mut turn(0, both()), &Tally::default(), false);
    assert_eq!(taken(&core).len(), 8, "it is another subscription");
}

// A08: whoever logs in again at the first of two refusals shall not do it at the second.
#[tokio::test]
async fn refusals_of_a_channel_that_was_replaced_are_not_told_any_more() {
    let failure = |name: &str| {
        Entry::report(Item::SubscriptionFailed {
            channel: channel(name),
            error: channels_proto::AuthorizationError::denied(401).into(),
            since: std::time::SystemTime::UNIX_EPOCH,
            failures: 1,
            retry_in: None,
        })
    };
    let names = |core: &Core<u32>| -> Vec<String> {
        let name =
            |item| if let Item::SubscriptionFailed { channel, .. } = item { channel.to_string() } else { panic!() };
        taken(core).into_iter().map(name).collect()
    };
    let core = core();
    for name in ["old", "both", "other"] {
        core.change(|intent| intent.subscribe(channel(name), 10)).unwrap();
    }
    core.hand_over(&mut turn(0, vec![failure("old"), failure("other"), failure("both")]), &Tally::default(), false);
    core.replace(&channel("old"), channel("new"), Time::ZERO, 10).unwrap();
    core.replace(&channel("both"), channel("both"), Time::ZERO, 10).unwrap();
    assert_eq!(names(&core), ["other"], "what waited");
    core.hand_over(&mut turn(0, vec![failure("old"), failure("other"), failure("both")]), &Tally::default(), false);
    assert_eq!(names(&core), ["other"], "what the task told before it heard of it");
    core.carried_out(core.intent(Intent::version));
    core.hand_over(&mut turn(0, vec![failure("new"), failure("both")]), &Tally::default(), false);
    assert_eq!(names(&core), ["new", "both"], "what comes of the new ones is told");
}

// No foreign code runs under the lock: an item that calls back when it is dropped.
#[tokio::test]
async fn an_item_may_call_back_while_it_is_dropped() {
    struct Calls(Arc<Core<Self>>);
    impl Drop for Calls {
        fn drop(&mut self) {
            assert!(self.0.shared.try_lock().is_ok(), "dropped under the lock");
        }
    }
    let limits = QueueLimits { max_items: 1, max_bytes: 1_000 };
    let core: Arc<Core<Calls>> = Arc::new(Core::new(limits, Handle::current(), None));
    let push = |session| {
        let entry = || Entry::event(channel("a"), 10, false, Calls(Arc::clone(&core)));
        let mut turn = Turn::default();
        turn.begin(session);
        turn.entries = vec![entry(), entry()];
        core.hand_over(&mut turn, &Tally::default(), false);
    };
    core.change(|intent| intent.subscribe(channel("a"), 10)).unwrap();
    push(0);
    push(7);
    core.unsubscribe(&channel("a"));
    push(0);
    core.change(Intent::connect);
    core.disconnect();
    push(1);
    drop(Delivery::new(Arc::clone(&core)));
    push(1);
}

// I13, K11: the pool for blocking work has no thread free between the handler's coming and the end of the session.
#[test]
fn a_handler_is_told_nothing_of_a_session_that_was_ended_before_its_first_call() {
    for comes_late in [false, true] {
        let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
        let core: Arc<Core<u32>> = Arc::new(Core::new(QueueLimits::default(), runtime.handle().clone(), None));
        connected(&core);
        assert_eq!(taken(&core).len(), 1);
        let (release, busy) = mpsc::sync_channel::<()>(1);
        runtime.spawn_blocking(move || busy.recv());
        let (tell, told) = mpsc::sync_channel(8);
        let set = || {
            core.set_handler(Some(Box::new(move |item| {
                tell.send(item).unwrap();
                None
            })));
        };
        if comes_late {
            core.disconnect();
            set();
        } else {
            set();
            core.disconnect();
        }
        release.send(()).unwrap();
        let (from, to) = (ConnectionState::Connected, ConnectionState::Disconnected);
        assert_eq!(told.recv_timeout(Duration::from_secs(30)), Ok(Item::StateChanged { from, to }), "{comes_late}");
        core.set_handler(None);
        assert_eq!(told.try_recv().ok(), None);
    }
}

async fn next(core: &Arc<Core<u32>>) -> Item<u32> {
    let item = std::future::poll_fn(|cx| core.poll_next(cx));
    tokio::time::timeout(Duration::from_secs(30), item).await.expect("the stream sleeps").unwrap()
}

// K05, I26: nothing is lost with a handler that finds nobody to call any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_handler_does_not_take_is_the_first_that_the_stream_gets() {
    for _ in 0..100 {
        let core = core();
        core.set_handler(Some(Box::new(Some)));
        let late = Arc::clone(&core);
        let reader = core.runtime.spawn(async move { [next(&late).await, next(&late).await, next(&late).await] });
        for number in 1..=3 {
            core.hand_over(&mut turn(0, vec![event("a", number)]), &Tally::default(), false);
        }
        assert_eq!(reader.await.unwrap(), [Item::Event(1), Item::Event(2), Item::Event(3)]);
        assert_eq!(core.counters().dropped_events, 0);
    }
}

// I13, I25: what is not wanted any more does not come back.
#[tokio::test]
async fn an_item_in_the_hands_of_a_handler_is_not_put_back_once_it_is_unwanted() {
    for leaves_channel in [false, true] {
        let core = core();
        connected(&core);
        assert_eq!(taken(&core).len(), 1);
        core.change(|intent| intent.subscribe(channel("a"), 10)).unwrap();
        let inner = Arc::clone(&core);
        core.set_handler(Some(Box::new(move |item| {
            if matches!(item, Item::StateChanged { .. }) {
                return None;
            }
            if leaves_channel {
                inner.unsubscribe(&channel("a"));
            } else {
                inner.disconnect();
            }
            Some(item)
        })));
        core.hand_over(&mut turn(0, vec![event("a", 1), event("b", 2)]), &Tally::default(), false);
        let (from, to) = (ConnectionState::Connected, ConnectionState::Disconnected);
        let expected = if leaves_channel { Item::Event(2) } else { Item::StateChanged { from, to } };
        assert_eq!(next(&core).await, expected);
        assert_eq!(taken(&core), []);
    }
}

// I25, A08: reports of a channel that was left or replaced during the call do not come back either.
#[tokio::test]
async fn a_report_in_the_hands_of_a_handler_is_not_put_back_once_its_channel_is_left_or_replaced() {
    let report = |name: &str| {
        let (error, since) = (channels_proto::SubscriptionError::Unacknowledged, std::time::SystemTime::UNIX_EPOCH);
        Item::<u32>::SubscriptionFailed { channel: channel(name), error, since, failures: 1, retry_in: None }
    };
    for is_replaced in [false, true] {
        let core = core();
        for name in ["a", "other"] {
            core.change(|intent| intent.subscribe(channel(name), 10)).unwrap();
        }
        let inner = Arc::clone(&core);
        core.set_handler(Some(Box::new(move |item| {
            if is_replaced {
                inner.replace(&channel("a"), channel("b"), Time::ZERO, 10).unwrap();
            } else {
                inner.unsubscribe(&channel("a"));
            }
            Some(item)
        })));
        core.hand_over(&mut turn(0, vec![Entry::report(report("a")), event("other", 1)]), &Tally::default(), false);
        assert_eq!(next(&core).await, Item::Event(1), "{is_replaced}");
        core.set_handler(Some(Box::new(Some)));
        core.hand_over(&mut turn(0, vec![Entry::report(report("other"))]), &Tally::default(), false);
        assert_eq!(next(&core).await, report("other"), "what is still wanted is put back");
        assert_eq!(taken(&core), []);
    }
}

// D05: whoever closes and begins anew does not lose the handler of the new session.
#[tokio::test]
async fn a_handler_that_is_set_while_a_close_waits_is_kept() {
    let core = core();
    connected(&core);
    assert_eq!(taken(&core).len(), 1);
    core.set_handler(Some(Box::new(|_| None)));
    let mut closing = Box::pin(core.close(Duration::from_secs(30)));
    assert!((&mut closing).now_or_never().is_none(), "the socket is not closed");
    let (tell, told) = mpsc::sync_channel(8);
    core.set_handler(Some(Box::new(move |item| {
        tell.send(item).unwrap();
        None
    })));
    core.change(Intent::connect);
    core.tell_closed(core.intent(Intent::ended));
    assert!(closing.await);
    core.hand_over(&mut turn(1, vec![event("a", 1)]), &Tally::default(), false);
    let next = || told.recv_timeout(Duration::from_secs(30)).expect("nobody is told");
    while next() != Item::Event(1) {}
}

/// Counts how often it is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl std::task::Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

// A consumer on another thread pays more for being woken than for an event.
#[tokio::test]
async fn a_burst_wakes_the_consumer_once_and_before_anything_has_to_give_way() {
    let events = |count: u32| (0..count).map(|number| event("a", number)).collect();
    let core = core();
    let woken = Arc::new(Woken::default());
    let waker = Arc::clone(&woken).into();
    let mut cx = Context::from_waker(&waker);
    let mut sleep = || assert!(core.poll_next(&mut cx).is_pending());
    let count = || woken.0.swap(0, Ordering::SeqCst);
    sleep();
    for _ in 0..3 {
        core.hand_over(&mut turn(0, events(64)), &Tally::default(), true);
        assert_eq!(count(), 0);
    }
    core.wake_consumer();
    core.wake_consumer();
    assert_eq!((count(), taken(&core).len()), (1, 192));
    core.wake_consumer();
    assert_eq!(count(), 0);
    sleep();
    let quarter = QueueLimits::default().max_items / 4;
    core.hand_over(&mut turn(0, events(u32::try_from(quarter).unwrap())), &Tally::default(), true);
    assert_eq!(count(), 0);
    core.hand_over(&mut turn(0, events(1)), &Tally::default(), true);
    assert_eq!(count(), 1);
}

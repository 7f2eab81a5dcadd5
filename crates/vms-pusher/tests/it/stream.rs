use tokio::task::JoinSet;
use tokio::time::timeout;
use vms_pusher::{
    ConnectionState, USER_PUSH, VmsAppSocketData, VmsChannel, VmsContinuity, VmsEvents, VmsIntercomSocketData,
    VmsPushOrigin, VmsPusherApi, VmsSocketItem,
};
use vms_sandbox::{EVENT_TYPES, Outbound, Push, PushEvent, RawData, RawPush, Sockets, Target};

use crate::support::*;

async fn next(events: &mut VmsEvents) -> VmsSocketItem {
    timeout(PATIENCE, events.next()).await.expect("nothing comes").expect("the stream has ended")
}

async fn wait_subscribed(events: &mut VmsEvents) {
    let mut missing = 2;
    while missing > 0 {
        missing -= usize::from(matches!(next(events).await, VmsSocketItem::Continuity(VmsContinuity::Fresh { .. })));
    }
}

/// Every type that the sandbox knows comes out as what it is, on the side it belongs to.
#[tokio::test]
async fn every_kind_of_push_arrives_typed() {
    let (sandbox, session) = sandbox().await;
    let api = api(&sandbox, &session);
    let mut events = api.events();
    api.connect();
    wait_subscribed(&mut events).await;
    let mut kinds = 0;
    for kind in EVENT_TYPES.iter().filter(|kind| kind.name != "logout") {
        let target = Target::Session(session.access_token_id.clone());
        let push = Push::new(kind.name).event(kind.event).to(target).data(kind.default_body());
        assert_eq!(sandbox.push(push).await.unwrap().sockets, 1, "{}", kind.name);
        let item = next(&mut events).await;
        let is_typed = match &item {
            VmsSocketItem::AppSocket(socket) => {
                !matches!(socket, VmsAppSocketData::Unknown(_) | VmsAppSocketData::Undecodable(_))
            }
            VmsSocketItem::IntercomSocket(socket) => {
                !matches!(socket, VmsIntercomSocketData::Unknown(_) | VmsIntercomSocketData::Undecodable(_))
            }
            _ => false,
        };
        assert!(is_typed, "{}: {item:?}", kind.name);
        let is_intercom = matches!(item, VmsSocketItem::IntercomSocket(_));
        assert_eq!(is_intercom, matches!(kind.event, PushEvent::Notification), "{}: {item:?}", kind.name);
        let line = serde_json::to_string(&item).unwrap();
        assert_eq!(serde_json::from_str::<VmsSocketItem>(&line).unwrap(), item, "{line}");
        kinds += 1;
    }
    assert!(kinds >= 30, "only {kinds} kinds");
}

// I13: what waited is gone, and the one report left is the state
#[tokio::test]
async fn nothing_but_the_state_comes_out_after_disconnect() {
    let (sandbox, session) = sandbox().await;
    let api = api(&sandbox, &session);
    let mut events = api.events();
    api.connect();
    wait_subscribed(&mut events).await;
    push_number(&sandbox, &session, 1).await;
    assert_eq!(number_of(&next(&mut events).await), Some(1));
    push_number(&sandbox, &session, 2).await;
    api.disconnect();
    assert!(is_state(&next(&mut events).await, ConnectionState::Disconnected));
    assert_eq!(events.try_next(), None);
    sandbox.wait_until(PATIENCE, |state| state.sockets.is_empty()).await.unwrap();
    assert_eq!(events.try_next(), None);
}

#[tokio::test]
async fn a_stream_that_is_taken_anew_goes_on_where_the_old_one_was() {
    let (sandbox, session) = sandbox().await;
    let api = api(&sandbox, &session);
    let mut first = api.events();
    api.connect();
    wait_subscribed(&mut first).await;
    push_number(&sandbox, &session, 1).await;
    assert_eq!(number_of(&next(&mut first).await), Some(1));
    let mut waiting = JoinSet::new();
    waiting.spawn(async move { first.next().await });
    tokio::task::yield_now().await;
    let mut second = api.events();
    assert_eq!(
        timeout(PATIENCE, waiting.join_next()).await.expect("the old stream sleeps for ever").unwrap().unwrap(),
        None
    );
    push_number(&sandbox, &session, 2).await;
    assert_eq!(number_of(&next(&mut second).await), Some(2));
}

#[tokio::test]
async fn many_items_are_taken_at_once() {
    let (sandbox, session) = sandbox().await;
    let api = api(&sandbox, &session);
    let mut events = api.events();
    api.connect();
    wait_subscribed(&mut events).await;
    for number in 0..20 {
        push_number(&sandbox, &session, number).await;
    }
    let mut numbers = Vec::new();
    while numbers.len() < 20 {
        let batch = timeout(PATIENCE, events.next_batch(7)).await.expect("nothing comes");
        assert!((1..=7).contains(&batch.len()));
        numbers.extend(batch.iter().filter_map(number_of));
    }
    assert_eq!(numbers, (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_stream_rests_while_there_is_a_delegate() {
    let (sandbox, session) = sandbox().await;
    let api = api(&sandbox, &session);
    let (mut events, delegate) = (api.events(), Recorder::new());
    api.set_delegate(&delegate);
    api.connect();
    delegate.wait_subscribed(1).await;
    push_number(&sandbox, &session, 1).await;
    delegate.wait(|items| items.iter().any(|item| number_of(item) == Some(1))).await;
    api.remove_delegate();
    push_number(&sandbox, &session, 2).await;
    assert_eq!(number_of(&next(&mut events).await), Some(2));
    assert_eq!(delegate.numbers(), [1]);
}

/// Calls the API back when it is woken.
struct Calls(std::sync::Mutex<Option<VmsPusherApi>>);

impl std::task::Wake for Calls {
    fn wake(self: std::sync::Arc<Self>) {
        let api = self.0.lock().unwrap().take();
        drop(api.map(|api| api.events()));
    }
}

// K03: foreign code runs under no lock, here the waker of a stream that a delegate makes way for
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waker_may_call_back_while_the_delegate_is_removed() {
    let (sandbox, session) = sandbox().await;
    let api = api(&sandbox, &session);
    let (release, released) = std::sync::mpsc::sync_channel::<()>(1);
    let released = std::sync::Mutex::new(released);
    let delegate = Recorder::reacting(move |item| {
        if number_of(item) == Some(1) {
            released.lock().unwrap().recv().unwrap();
        }
    });
    api.set_delegate(&delegate);
    api.connect();
    delegate.wait_subscribed(1).await;
    let mut events = api.events();
    let calls = std::sync::Arc::new(Calls(std::sync::Mutex::new(Some(api.clone()))));
    let waker = std::task::Waker::from(std::sync::Arc::clone(&calls));
    let mut cx = std::task::Context::from_waker(&waker);
    assert!(futures_util::Stream::poll_next(std::pin::Pin::new(&mut events), &mut cx).is_pending());
    push_number(&sandbox, &session, 1).await;
    delegate.wait(|items| items.iter().any(|item| number_of(item) == Some(1))).await;
    push_number(&sandbox, &session, 2).await;
    sandbox.ping(&Sockets::All).await;
    let answered = sandbox.wait_until(PATIENCE, |state| state.sockets.iter().any(|socket| socket.frames_received >= 3));
    answered.await.unwrap();
    let remover = api.clone();
    off_the_runtime(move || remover.remove_delegate()).await;
    release.send(()).unwrap();
    let mut events = api.events();
    assert_eq!(number_of(&next(&mut events).await), Some(2));
    assert!(calls.0.lock().unwrap().is_none(), "nobody was woken");
}

/// A member that no version knows, a value of no use, and the spaces of its own.
const ODD_PAYLOAD: &str =
    r#"{"data": {"type": "groups_deleted", "data": {"ids": [7, "all"], "why": 1.50}}, "new": null}"#;

async fn push_odd(sandbox: &vms_sandbox::Sandbox, session: &vms_sandbox::Session, data: RawData) {
    let channel = format!("private-user.{}", session.user_id);
    let push = RawPush { channel, event: USER_PUSH.to_owned(), data, except: None };
    assert_eq!(sandbox.push_raw(push).await.sockets, 1, "nobody is subscribed");
}

#[tokio::test]
async fn a_push_is_there_as_it_came_for_those_who_ask() {
    let (sandbox, session) = sandbox().await;
    let mut config = config(&sandbox, &session);
    config.options.keep_raw = true;
    let api = VmsPusherApi::new(config).unwrap();
    let mut events = api.events();
    api.connect();
    wait_subscribed(&mut events).await;
    for data in [RawData::Text(ODD_PAYLOAD.to_owned()), RawData::Bare(ODD_PAYLOAD.to_owned()), RawData::Absent] {
        let expected = if matches!(data, RawData::Absent) { "" } else { ODD_PAYLOAD };
        push_odd(&sandbox, &session, data).await;
        let received = timeout(PATIENCE, events.next_with_raw()).await.expect("nothing comes").unwrap();
        assert!(matches!(received.item, VmsSocketItem::AppSocket(_)), "{:?}", received.item);
        let raw = received.raw.expect("the push as it came");
        assert_eq!((raw.event.as_str(), raw.data.as_str()), (USER_PUSH, expected));
        assert_eq!(raw.channel, format!("private-user.{}", session.user_id));
        let push_type = (expected == ODD_PAYLOAD).then_some("groups_deleted");
        assert_eq!(received.origin, Some(VmsPushOrigin { channel: VmsChannel::User, push_type }));
    }
    api.disconnect();
    let received = timeout(PATIENCE, events.next_with_raw()).await.expect("nothing comes").unwrap();
    assert!(is_state(&received.item, ConnectionState::Disconnected) && received.raw.is_none(), "{received:?}");
    assert_eq!(received.origin, None);
}

#[tokio::test]
async fn nothing_is_kept_for_those_who_do_not_ask() {
    let (sandbox, session) = sandbox().await;
    let api = api(&sandbox, &session);
    let mut events = api.events();
    api.connect();
    wait_subscribed(&mut events).await;
    push_odd(&sandbox, &session, RawData::Text(ODD_PAYLOAD.to_owned())).await;
    let received = timeout(PATIENCE, events.next_with_raw()).await.expect("nothing comes").unwrap();
    assert!(matches!(received.item, VmsSocketItem::AppSocket(VmsAppSocketData::GroupsUpdate)), "{:?}", received.item);
    assert_eq!(received.raw, None);
}

/// Keeps what it is told of raw pushes and of those made from them.
#[derive(Default)]
struct RawRecorder(std::sync::Mutex<Vec<String>>, tokio::sync::Notify);

impl RawRecorder {
    fn take(&self, what: String) {
        self.0.lock().unwrap().push(what);
        self.1.notify_one();
    }
}

impl vms_pusher::VmsSocketManagerDelegate for RawRecorder {
    fn received_raw_push(&self, raw: vms_pusher::VmsRawPush) {
        self.take(raw.data);
    }

    fn received_app_socket(&self, socket: VmsAppSocketData) {
        self.take(socket.name().to_owned());
    }

    fn received_intercom_socket(&self, socket: VmsIntercomSocketData) {
        self.take(socket.name().to_owned());
    }
}

#[tokio::test]
async fn the_delegate_gets_a_push_as_it_came_right_before_what_it_became() {
    let (sandbox, session) = sandbox().await;
    let mut config = config(&sandbox, &session);
    config.options.keep_raw = true;
    let api = VmsPusherApi::new(config).unwrap();
    let mut events = api.events();
    api.connect();
    wait_subscribed(&mut events).await;
    let delegate = std::sync::Arc::<RawRecorder>::default();
    api.set_delegate(&delegate);
    for _ in 0..2 {
        push_odd(&sandbox, &session, RawData::Text(ODD_PAYLOAD.to_owned())).await;
    }
    let told = async {
        while delegate.0.lock().unwrap().len() < 4 {
            delegate.1.notified().await;
        }
    };
    timeout(PATIENCE, told).await.expect("the delegate is not told");
    let expected = [ODD_PAYLOAD, "groups_update", ODD_PAYLOAD, "groups_update"];
    assert_eq!(*delegate.0.lock().unwrap(), expected);
}

// M01, M03, I26: nothing that may have been a push vanishes from the stream
#[tokio::test]
async fn what_cannot_be_read_is_handed_over_or_announced() {
    let (sandbox, session) = sandbox().await;
    let api = api(&sandbox, &session);
    let mut events = api.events();
    api.connect();
    wait_subscribed(&mut events).await;
    let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    let (channel, event) = (session.user_channel(), USER_PUSH.to_owned());
    sandbox.push_raw(RawPush { channel, event, data: RawData::Bare(deep.clone()), except: None }).await;
    let item = next(&mut events).await;
    let VmsSocketItem::AppSocket(VmsAppSocketData::Undecodable(push)) = &item else { panic!("{item:?}") };
    assert_eq!((&push.data, push.event.as_str()), (&deep, USER_PUSH));
    assert!(push.reason.contains("nested deeper than 128 levels"), "{}", push.reason);

    let (channel, event) = (session.user_channel(), "e".repeat(5_000));
    sandbox
        .push_raw(RawPush { channel, event: event.clone(), data: RawData::Text("{}".to_owned()), except: None })
        .await;
    let item = next(&mut events).await;
    let VmsSocketItem::AppSocket(VmsAppSocketData::Undecodable(push)) = &item else { panic!("{item:?}") };
    assert_eq!((push.data.as_str(), &push.event), ("{}", &event));

    let data = r#"{"data":{"type":"mark_created","data":{"id":NaN}}}"#;
    let [event, channel] = [USER_PUSH.to_owned(), session.user_channel()].map(serde_json::Value::from);
    let frame = format!(r#"{{"data":{data},"event":{event},"channel":{channel}}}"#);
    sandbox.send(&Sockets::All, Outbound::Text(frame)).await;
    let item = next(&mut events).await;
    let VmsSocketItem::AppSocket(VmsAppSocketData::Undecodable(push)) = &item else { panic!("{item:?}") };
    assert_eq!((push.data.as_str(), push.event.as_str(), push.path.as_str()), (data, USER_PUSH, "$"));
    assert!(push.reason.contains("not valid JSON at byte"), "{}", push.reason);

    sandbox.send(&Sockets::All, Outbound::Text("[1]".to_owned())).await;
    let item = next(&mut events).await;
    let VmsSocketItem::Continuity(VmsContinuity::Unreadable { lost: 1, reason }) = &item else { panic!("{item:?}") };
    assert!(reason.contains("not a JSON object"), "{reason}");
}

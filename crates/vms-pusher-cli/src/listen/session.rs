//! One session, from the connection to its end.

use std::time::Duration;

use vms_pusher::{VmsAppSocketData, VmsEvents, VmsPusherApi, VmsPusherConfig, VmsReceived, VmsSocketItem};

use super::{
    deadline::Deadline,
    end_detector::{EndDetector, Fatal},
    gaps::Gaps,
    open,
    print::Printer,
};
use crate::{
    clock, event_name,
    failure::{Exit, Failure},
    output::json::Origin,
    settings::{Account, Credentials},
    stop::{Stop, WhenAsked},
};

/// A connected session.
pub(super) struct Session<'r, 'o> {
    api: VmsPusherApi,
    events: VmsEvents,
    detector: EndDetector,
    /// How long a connection may be without a sign of life before it counts as lost.
    silence: Duration,
    /// Whether another session can be opened.
    can_log_in: bool,
    printer: &'r mut Printer<'o>,
    gaps: &'r mut Gaps,
    stop: &'r Stop,
    /// This thread may be stuck in a write when the program is asked to end; the socket is closed nevertheless.
    _closing: WhenAsked,
    /// Until when a channel has to be subscribed.
    deadline: Deadline,
}

/// How a session ended without a failure.
#[derive(Debug)]
pub(super) enum End {
    /// The program was asked to end.
    Asked(Exit),
    /// The server no longer takes the session for valid, and another one can be opened.
    Invalid,
}

impl<'r, 'o> Session<'r, 'o> {
    /// Starts connecting.
    pub(super) fn begin(
        config: VmsPusherConfig,
        account: &Account,
        printer: &'r mut Printer<'o>,
        gaps: &'r mut Gaps,
        stop: &'r Stop,
        deadline: Deadline,
    ) -> Result<Self, Failure> {
        printer.servers.socket.clone_from(&config.socket_url);
        let detector = EndDetector::new(&config.socket_url, &config.base_url);
        let silence = config.options.activity_timeout + config.options.pong_timeout;
        let who = format!("{} as user {}, session {}", config.socket_url, config.user_id, config.access_token_id);
        let api = VmsPusherApi::new(config).map_err(|error| open::unusable(account, &error))?;
        printer.hint("listening", &who);
        let can_log_in = matches!(account.credentials, Credentials::Login(_));
        let events = api.events();
        let closing = api.clone();
        let closing = stop.when_asked(move || closing.disconnect());
        api.connect();
        Ok(Self { api, events, detector, silence, can_log_in, printer, gaps, stop, _closing: closing, deadline })
    }

    /// Prints what arrives until the session ends.
    pub(super) async fn run(mut self) -> Result<End, Failure> {
        let over = loop {
            let waiting = if self.stop.is_asked().is_none() { self.events.try_next_with_raw() } else { None };
            let item = if waiting.is_some() {
                waiting
            } else {
                self.printer.flush()?;
                tokio::select! {
                    biased;
                    exit = self.stop.asked() => {
                        self.part().await?;
                        return Ok(End::Asked(exit));
                    }
                    item = self.events.next_with_raw() => item,
                    () = self.deadline.passed(), if !self.detector.was_accepted() => {
                        let failure = self.deadline.failure(self.printer);
                        break Fatal::Failed(failure);
                    }
                }
            };
            let Some(item) = item else { break Fatal::Failed(self.detector.without_reason()) };
            if let Some(over) = self.take(item)? {
                break over;
            }
        };
        match over {
            // What is refused straight after a login would be refused after the next one too.
            Fatal::SessionRefused(_) if self.can_log_in && self.detector.was_accepted() => self.give_way().await,
            Fatal::Failed(failure) | Fatal::SessionRefused(failure) => {
                self.part().await?;
                Err(failure)
            }
        }
    }

    fn take(&mut self, received: VmsReceived) -> Result<Option<Fatal>, Failure> {
        let (raw, item) = (received.raw, self.gaps.follow(received.item, clock::now()));
        let origin = Origin {
            channel: received.origin.map(|origin| origin.channel),
            wire_type: received.origin.and_then(|origin| origin.push_type).or_else(|| event_name::of_unread(&item)),
            raw: raw.as_deref().map(|raw| raw.data.as_str()),
        };
        self.printer.push(&item, origin)?;
        // The event is printed as it came; what is said of it holds no secret.
        if let VmsSocketItem::AppSocket(VmsAppSocketData::Logout(Some(reason))) = &item {
            let reason = self.api.hide_secrets(reason);
            return Ok(self.detector.on(&VmsSocketItem::AppSocket(VmsAppSocketData::Logout(Some(reason)))));
        }
        Ok(self.detector.on(&item))
    }

    /// Ends the session to make way for another, in which the gap of each channel ends.
    async fn give_way(mut self) -> Result<End, Failure> {
        let now = clock::now();
        // What has come by now is told: the disconnect would discard it.
        for _ in 0..MORE_THAN_THE_QUEUE_HOLDS {
            let Some(item) = self.events.try_next_with_raw() else { break };
            if let Some(Fatal::Failed(failure)) = self.take(item)? {
                self.part().await?;
                return Err(failure);
            }
        }
        for lost in self.gaps.end_session(now, self.silence) {
            self.printer.print(&lost)?;
        }
        self.part().await?;
        Ok(End::Invalid)
    }

    /// Closes the socket gracefully, if the server cooperates.
    async fn part(mut self) -> Result<(), Failure> {
        let closing = self.api.close(GRACEFUL_CLOSE);
        while let Some(item) = self.events.next().await {
            self.printer.print(&item)?;
        }
        self.printer.flush()?;
        closing.await;
        Ok(())
    }
}

const GRACEFUL_CLOSE: Duration = Duration::from_millis(500);
/// What a client queues at most, by default, and the reports that never give way.
const MORE_THAN_THE_QUEUE_HOLDS: usize = 2_048;

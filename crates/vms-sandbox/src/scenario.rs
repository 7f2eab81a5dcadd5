//! A plausible day, in which every event type occurs.

use std::time::Duration;

use channels_sandbox::SocketInfo;
use serde_json::json;
use tokio::time::{Instant, sleep_until};

use crate::{
    accounts::Session,
    error::WaitError,
    push::{Push, PushError, PushEvent, Target},
    sandbox::Sandbox,
    sockets::Sockets,
    state::SandboxState,
};

/// Timed steps, played against a sandbox.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// The session it is about.
    pub session: Session,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// Something that happens at a certain time.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When, from the start, at normal speed.
    pub offset: Duration,
    /// What.
    pub action: Action,
}

/// What happens in a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Wait until both VMS channels of the session have a subscriber, 20 s at most. The following
    /// steps are delayed by that time.
    AwaitSubscribed,
    /// Drop the session's connections without a close frame, once what was pushed has been written.
    Cut,
    /// Push `logout` and revoke the session's token.
    LogOut {
        /// The reason, shown to the user.
        subject: String,
    },
    /// Push an event.
    Push(Box<Push>),
}

/// A scenario that could not be played to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// The session is gone.
    #[error("the session {access_token_id} of the scenario does not exist")]
    NoSession {
        /// Its id.
        access_token_id: String,
    },
    /// An event could not be pushed.
    #[error(transparent)]
    Push(#[from] PushError),
    /// The client did not subscribe, or did not read what was sent.
    #[error("the client did not connect, subscribe and read in time")]
    TimedOut(#[source] WaitError),
}

impl Scenario {
    /// A day of about 15 s: every type of the catalogue once in each of its envelopes, a failed archive
    /// besides a finished one, one unknown type, one cut in the middle, `logout` at the end.
    #[must_use]
    pub fn day(session: &Session) -> Self {
        let mut day = Day::of(session);
        day.morning();
        day.recovery();
        day.evening();
        Self { session: session.clone(), steps: day.steps }
    }

    /// How long it takes at normal speed, apart from waiting.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.steps.last().map_or(Duration::ZERO, |step| step.offset)
    }

    /// Plays it. At `speed` 2 it takes half the time; a speed that is not above 0 counts as 1.
    ///
    /// # Errors
    ///
    /// If the session is gone, or nobody subscribes within 20 s in a step that waits for it.
    pub async fn play(&self, sandbox: &Sandbox, speed: f64) -> Result<(), ScenarioError> {
        let speed = if speed > 0.0 { speed } else { 1.0 };
        let mut start = Instant::now();
        for step in &self.steps {
            let due = start + step.offset.div_f64(speed);
            sleep_until(due).await;
            self.take(&step.action, sandbox).await?;
            if step.action == Action::AwaitSubscribed {
                start += Instant::now().saturating_duration_since(due);
            }
        }
        Ok(())
    }

    async fn take(&self, action: &Action, sandbox: &Sandbox) -> Result<(), ScenarioError> {
        let id = &self.session.access_token_id;
        match action {
            Action::AwaitSubscribed => {
                let waited = sandbox.wait_subscribed(&self.session, PATIENCE).await;
                waited.map(drop).map_err(ScenarioError::TimedOut)
            }
            Action::Cut => {
                let token = self.session.token_channel();
                let on_it = |socket: &SocketInfo| socket.channels.contains(&token);
                let written = |state: &SandboxState| {
                    state.sockets.iter().filter(|socket| on_it(socket)).all(|socket| socket.frames_waiting == 0)
                };
                sandbox.wait_until(PATIENCE, written).await.map_err(ScenarioError::TimedOut)?;
                sandbox.cut(&Sockets::Session(id.clone()));
                let gone = sandbox.wait_until(PATIENCE, |state| state.subscribers(&token) == 0).await;
                gone.map(drop).map_err(ScenarioError::TimedOut)
            }
            Action::LogOut { subject } => {
                let done = sandbox.log_out(id, Some(subject)).await;
                done.then_some(()).ok_or_else(|| ScenarioError::NoSession { access_token_id: id.clone() })
            }
            Action::Push(push) => Ok(sandbox.push(push.as_ref().clone()).await.map(drop)?),
        }
    }
}

/// The steps as they are put together.
struct Day<'a> {
    session: &'a Session,
    at: Duration,
    steps: Vec<Step>,
}

impl<'a> Day<'a> {
    fn of(session: &'a Session) -> Self {
        let start = Step { offset: Duration::ZERO, action: Action::AwaitSubscribed };
        Self { session, at: BEAT, steps: vec![start] }
    }

    fn morning(&mut self) {
        for type_ in [
            "cameras_updated",
            "camera.store_favorite",
            "permissions_updated",
            "layouts_updated",
            "groups_created",
            "groups_updated",
            "camera_groups_synced",
            "mark_created",
            "mark_updated",
            "analytic_case_motion_detect_event_created",
            "analytic_case_line_intersection_event_created",
            "analytic_case_person_counting_event_created",
            "analytic_case_visitor_counting_event_created",
            "analytic_case_license_plate_event_created",
            "analytic_case_container_number_recognition_event_created",
        ] {
            self.token(type_);
        }
        self.push(self.to_session("archive_generated"));
        self.push(self.to_session("archive_generated").failed());
        for type_ in ["intercom.store", "intercom.key_confirmed", "intercom.rename", "intercom.update"] {
            self.user(type_);
        }
    }

    fn recovery(&mut self) {
        self.step(Action::Cut);
        self.step(Action::AwaitSubscribed);
    }

    fn evening(&mut self) {
        for type_ in ["intercom.code.store", "intercom.call.store", "intercom_cancel"] {
            self.user(type_);
        }
        let face = Push::new("analytic_case_face_event_created").event(PushEvent::Notification);
        self.push(face.to(Target::User(self.session.user_id)));
        self.token("analytic_case_face_event_created");
        for type_ in [
            "analytic_case_camera_obstacle_event_created",
            "analytic_case_loud_sound_event_created",
            "analytic_case_smoke_fire_event_created",
        ] {
            self.token(type_);
        }
        let weather = Push::new("weather_changed").data(json!({"temperature": -3, "wind": "north"}));
        self.push(weather.to(Target::User(self.session.user_id)));
        for type_ in ["intercom.key_error", "intercom.add_error", "intercom.call.delete"] {
            self.user(type_);
        }
        for type_ in ["intercom.code.delete", "intercom.delete"] {
            self.user(type_);
        }
        for type_ in ["mark_deleted", "groups_deleted", "camera.destroy_favorite"] {
            self.token(type_);
        }
        self.step(Action::LogOut { subject: "The day is over".to_owned() });
    }

    fn token(&mut self, type_: &str) {
        self.push(self.to_session(type_));
    }

    fn user(&mut self, type_: &str) {
        self.push(Push::new(type_).to(Target::User(self.session.user_id)));
    }

    fn to_session(&self, type_: &str) -> Push {
        Push::new(type_).to(Target::Session(self.session.access_token_id.clone()))
    }

    fn push(&mut self, push: Push) {
        self.step(Action::Push(Box::new(push)));
    }

    fn step(&mut self, action: Action) {
        self.steps.push(Step { offset: self.at, action });
        self.at += BEAT;
    }
}

/// Time between two steps: about forty of them make fifteen seconds.
const BEAT: Duration = Duration::from_millis(350);
const PATIENCE: Duration = Duration::from_secs(20);

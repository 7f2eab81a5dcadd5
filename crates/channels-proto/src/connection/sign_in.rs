//! Signing in: an authentication, the server's answer, and the user's own channel; again on every socket.

use std::time::Duration;

use super::{
    Connection,
    channels::Channels,
    lifecycle::{ERROR_EXPLAINS_CLOSE, Phase},
};
use crate::{
    AuthorizationError, AuthorizationId, Data, Output, Outputs, Report, SignInError, Time, User, UserAuthentication,
    backoff::{Backoff, Class},
    wire::{self, ServerError},
};

/// The wish to be signed in, and how far that is.
#[derive(Debug)]
pub(super) struct SignIn {
    step: Step,
    backoff: Backoff,
    /// When the server refused, if it has not accepted since.
    refused: Option<Time>,
}

#[derive(Debug)]
enum Step {
    /// Nothing was requested on this socket.
    Idle,
    Authenticating {
        id: AuthorizationId,
        deadline: Time,
    },
    Sent {
        user: User,
        deadline: Time,
        /// How many subscribes were sent before: the server answers in order.
        behind: u64,
    },
    SignedIn(User),
    /// An attempt failed; the next one comes at `until`, or on the next socket unless the server refused.
    Waiting {
        until: Time,
    },
    /// No further attempt until the caller acts.
    Failed,
}

impl SignIn {
    pub(super) const fn deadline(&self) -> Option<Time> {
        match &self.step {
            Step::Authenticating { deadline, .. } | Step::Sent { deadline, .. } => Some(*deadline),
            Step::Waiting { until } => Some(*until),
            Step::Idle | Step::SignedIn(_) | Step::Failed => None,
        }
    }
}

impl Connection {
    /// Signs the user in, on this socket and on later ones: the answer to [`Output::Authenticate`] says who that is.
    /// Then [`Report::SignedIn`] follows, and the user's own channel, `#server-to-user-{id}`, is subscribed. Repeating
    /// it does nothing, except that a sign-in that failed is tried again now.
    pub fn sign_in(&mut self, now: Time) -> Outputs<'_, 'static> {
        let new = || Box::new(SignIn { step: Step::Idle, backoff: Backoff::new(), refused: None });
        let sign_in = self.sign_in.get_or_insert_with(new);
        if matches!(sign_in.step, Step::Waiting { .. } | Step::Failed) {
            sign_in.step = Step::Idle;
        }
        self.advance_sign_in(now);
        self.finish(now)
    }

    /// Signs the user in no more, and leaves the user's own channel. The protocol has no message for it: to the server
    /// this client is the user until the socket ends.
    pub fn sign_out(&mut self, now: Time) -> Outputs<'_, 'static> {
        if let Some(sign_in) = self.sign_in.take() {
            match sign_in.step {
                Step::Authenticating { id, .. } => self.outputs.push_back(Output::CancelAuthorization { id }),
                Step::Idle | Step::Sent { .. } | Step::SignedIn(_) | Step::Waiting { .. } | Step::Failed => {}
            }
        }
        for channel in self.channels.of_users() {
            if self.with_socket(now, |channels, socket| channels.leave(&channel, socket)).is_none() {
                self.channels.forget(&channel);
            }
        }
        self.finish(now)
    }

    /// Returns the user as whom this socket is signed in.
    #[must_use]
    pub fn user(&self) -> Option<&User> {
        match &self.sign_in.as_ref()?.step {
            Step::SignedIn(user) => Some(user),
            Step::Idle | Step::Authenticating { .. } | Step::Sent { .. } | Step::Waiting { .. } | Step::Failed => None,
        }
    }

    /// Handles the result of [`Output::Authenticate`].
    pub fn handle_authentication(
        &mut self,
        now: Time,
        id: AuthorizationId,
        answer: Result<UserAuthentication, AuthorizationError>,
    ) -> Outputs<'_, 'static> {
        let awaited = self
            .sign_in
            .as_ref()
            .is_some_and(|sign_in| matches!(sign_in.step, Step::Authenticating { id: awaited, .. } if awaited == id));
        if awaited {
            match answer {
                Ok(authentication) => self.take_authentication(now, &authentication),
                Err(error) => self.fail_sign_in(now, SignInError::Authentication(error)),
            }
        } else {
            self.counters.stale_inputs += 1;
        }
        self.finish(now)
    }

    /// Requests an authentication if one is wanted and there is a socket to sign it for.
    pub(super) fn advance_sign_in(&mut self, now: Time) {
        let is_hazardous = self.is_hazardous();
        let (Phase::Up(live), Some(sign_in)) = (&self.phase, &mut self.sign_in) else { return };
        if !matches!(sign_in.step, Step::Idle) {
            return;
        }
        if is_hazardous {
            self.fail_sign_in(now, SignInError::UnsupportedByServer);
            return;
        }
        let id = self.channels.next_authorization();
        sign_in.step = Step::Authenticating { id, deadline: now + self.options.authorization_timeout };
        let (socket_id, refresh_token) = (live.socket_id.clone(), self.refresh_token || sign_in.refused.is_some());
        self.outputs.push_back(Output::Authenticate { id, socket_id, refresh_token });
    }

    fn take_authentication(&mut self, now: Time, authentication: &UserAuthentication) {
        match authentication.check(&self.options.app_key) {
            Err(error) => self.fail_sign_in(now, error),
            Ok(user) => {
                let (Phase::Up(live), Some(sign_in)) = (&self.phase, &mut self.sign_in) else { return };
                self.refresh_token = false;
                let deadline = now + self.options.acknowledgement_timeout;
                sign_in.step = Step::Sent { user, deadline, behind: self.channels.subscribes() };
                let text = wire::sign_in(&authentication.auth, &authentication.user_data);
                self.outputs.push_back(Output::SendText { epoch: live.epoch, text });
            }
        }
    }

    /// Handles `pusher:signin_success`.
    pub(super) fn take_signed_in(&mut self, now: Time, data: Data<'_>) {
        let confirmed = User::confirmed(data);
        let user = match self.sign_in.as_deref().map(|sign_in| &sign_in.step) {
            // It may be the answer to an earlier one.
            Some(Step::Sent { user, .. }) if confirmed.as_ref().is_none_or(|other| other.id() == user.id()) => {
                confirmed.unwrap_or_else(|| user.clone())
            }
            _ => {
                self.counters.ignored_internal_events += 1;
                return;
            }
        };
        let step = Step::SignedIn(user.clone());
        self.sign_in = Some(Box::new(SignIn { step, backoff: Backoff::new(), refused: None }));
        let channel = user.channel();
        self.report(Report::SignedIn { user });
        if let Some(channel) = channel {
            self.leave_other_users(now, &channel);
            self.channels.want_again(channel);
            self.with_socket(now, Channels::advance);
        }
    }

    /// The authentication may name another user than on the socket before.
    fn leave_other_users(&mut self, now: Time, own: &crate::ChannelName) {
        for channel in self.channels.of_users().into_iter().filter(|channel| channel != own) {
            self.with_socket(now, |channels, socket| channels.leave(&channel, socket));
        }
    }

    /// Handles an error that names no channel. Returns whether it is the answer to a sign-in: nothing that was sent
    /// before that is unanswered.
    pub(super) fn refuse_sign_in(&mut self, now: Time, error: &ServerError) -> bool {
        let Some(SignIn { step: Step::Sent { behind, .. }, .. }) = self.sign_in.as_deref() else { return false };
        let is_first = self.channels.first_unanswered().is_none_or(|number| number > *behind);
        let is_refusal = is_first && error.code.is_some_and(|code| REFUSALS.contains(&code));
        if is_refusal {
            let ServerError { code, message } = error.clone();
            self.fail_sign_in(now, SignInError::RejectedByServer { code, message });
        }
        is_refusal
    }

    /// Handles a close with 4009. Returns whether a sign-in explains it: that was refused just now, or is not answered.
    pub(super) fn explains_close(&mut self, now: Time, code: u16, reason: &str) -> bool {
        match self.sign_in.as_deref() {
            Some(SignIn { step: Step::Sent { .. }, .. }) => {
                let error = SignInError::RejectedByServer { code: Some(code), message: reason.to_owned() };
                self.fail_sign_in(now, error);
                true
            }
            Some(SignIn { refused: Some(at), .. }) => now.saturating_since(*at) <= ERROR_EXPLAINS_CLOSE,
            Some(_) | None => false,
        }
    }

    pub(super) fn check_sign_in(&mut self, now: Time) {
        let Some(sign_in) = &mut self.sign_in else { return };
        if sign_in.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        match sign_in.step {
            Step::Authenticating { id, .. } => {
                self.outputs.push_back(Output::CancelAuthorization { id });
                self.fail_sign_in(now, SignInError::Authentication(AuthorizationError::TimedOut));
            }
            Step::Sent { .. } => self.fail_sign_in(now, SignInError::Unanswered),
            Step::Waiting { .. } => {
                sign_in.step = Step::Idle;
                self.advance_sign_in(now);
            }
            Step::Idle | Step::SignedIn(_) | Step::Failed => {}
        }
    }

    /// Handles the end of a socket: the next one is not signed in.
    pub(super) fn end_sign_in(&mut self) {
        let Some(sign_in) = &mut self.sign_in else { return };
        match sign_in.step {
            Step::Failed => {}
            // The server may have closed on it: another socket is no reason to hurry.
            Step::Waiting { .. } if sign_in.refused.is_some() => {}
            Step::Authenticating { id, .. } => {
                self.outputs.push_back(Output::CancelAuthorization { id });
                sign_in.step = Step::Idle;
            }
            Step::Idle | Step::Sent { .. } | Step::SignedIn(_) | Step::Waiting { .. } => sign_in.step = Step::Idle,
        }
    }

    /// Handles the end of the session: the next one starts afresh.
    pub(super) fn reset_sign_in(&mut self) {
        self.end_sign_in();
        if let Some(sign_in) = &mut self.sign_in {
            **sign_in = SignIn { step: Step::Idle, backoff: Backoff::new(), refused: None };
        }
    }

    fn fail_sign_in(&mut self, now: Time, error: SignInError) {
        let Some(sign_in) = &mut self.sign_in else { return };
        let class = match &error {
            SignInError::Authentication(error) if !error.is_retryable() => None,
            SignInError::Authentication(AuthorizationError::Unavailable { .. } | AuthorizationError::TimedOut) => {
                Some(Class::Normal)
            }
            // Once more with a fresh token.
            SignInError::RejectedByServer { code: Some(UNAUTHORIZED), .. } if sign_in.refused.is_none() => {
                Some(Class::Normal)
            }
            SignInError::UnsupportedByServer => None,
            SignInError::Authentication(_)
            | SignInError::Malformed { .. }
            | SignInError::WrongAppKey
            | SignInError::RejectedByServer { .. }
            | SignInError::Unanswered => Some(Class::Slow),
        };
        if matches!(error, SignInError::RejectedByServer { .. }) {
            sign_in.refused = Some(now);
        }
        let retry_after = if let SignInError::Authentication(error) = &error { error.retry_after() } else { None };
        let retry_in: Option<Duration> =
            class.map(|class| sign_in.backoff.next_delay(class, retry_after, &mut self.rng));
        sign_in.step = retry_in.map_or(Step::Failed, |delay| Step::Waiting { until: now + delay });
        self.report(Report::SignInFailed { error, retry_in });
    }
}

const UNAUTHORIZED: u16 = 4009;
/// How servers refuse a sign-in: the protocol's code, and Reverb's for a message that it does not know.
const REFUSALS: [u16; 2] = [UNAUTHORIZED, 4200];

//! A server's text may contain a secret that it was given: such secrets are hidden before the text goes into an error
//! or a log.

use std::{
    borrow::Cow,
    panic::{AssertUnwindSafe, catch_unwind},
};

use channels_proto::{
    ClientEventError, ConnectFailure, ConnectionError, ProtocolViolation, Report, Secret, SignInError,
    SubscriptionError,
};

use super::driver::Driver;
use crate::Decoder;

impl<D: Decoder> Driver<D> {
    /// Remembers a signature that the server is going to be shown on this socket.
    pub(super) fn remember(&mut self, auth: &Secret) {
        let auth = auth.expose();
        let signature = auth.split_once(':').map_or(auth, |(_, signature)| signature);
        if self.signatures.len() == MOST_SIGNATURES {
            self.signatures.remove(0);
        }
        // Most sessions have two, for as long as they last.
        self.signatures.reserve_exact(1);
        self.signatures.push(Secret::new(signature));
    }

    /// Takes the secrets out of `text`.
    fn hide_in(&self, text: &mut String) {
        let hidden = catch_unwind(AssertUnwindSafe(|| self.authorizer.hide_secrets(text)));
        if let Some(hidden) = hidden.unwrap_or_else(|_| Some("***".to_owned())) {
            *text = hidden;
        }
        for signature in &self.signatures {
            if let Cow::Owned(hidden) = signature.hide_in(text) {
                *text = hidden;
            }
        }
    }

    pub(super) fn report_without_secrets(&self, mut report: Report) -> Report {
        match &mut report {
            Report::ConnectionFailed { error, .. } => self.hide_in_error(error),
            Report::SubscriptionFailed { error, .. } => self.hide_in_refusal(error),
            Report::ServerError { message, .. }
            | Report::ClientEventFailed { error: ClientEventError::RejectedByServer { message, .. }, .. }
            | Report::SignInFailed {
                error: SignInError::RejectedByServer { message, .. } | SignInError::Malformed { message, .. },
                ..
            } => self.hide_in(message),
            Report::StateChanged { .. }
            | Report::Subscribed { .. }
            | Report::Interrupted { .. }
            | Report::Lagged { .. }
            | Report::Suspended { .. }
            | Report::Unreadable { .. }
            | _ => {}
        }
        report
    }

    fn hide_in_error(&self, error: &mut ConnectionError) {
        match error {
            ConnectionError::Connect { message: text, .. }
            | ConnectionError::Lost { message: text }
            | ConnectionError::Refused { message: text, .. }
            | ConnectionError::Closed { reason: text, .. }
            | ConnectionError::ClosedEarly { reason: text, .. }
            | ConnectionError::Violation(ProtocolViolation::EventBeforeEstablished { event: text }) => {
                self.hide_in(text);
            }
            ConnectionError::GaveUp { last, .. } => self.hide_in_error(last),
            ConnectionError::TimedOut { .. }
            | ConnectionError::MessageTooLong { .. }
            | ConnectionError::Silent { .. }
            | ConnectionError::Violation(_)
            | ConnectionError::Unacknowledged { .. }
            | _ => {}
        }
    }

    fn hide_in_refusal(&self, error: &mut SubscriptionError) {
        match error {
            SubscriptionError::MalformedAuthorization { message, .. }
            | SubscriptionError::RejectedByServer { message, .. }
            | SubscriptionError::AuthorizationUnavailable { message, .. }
            | SubscriptionError::AuthorizationDeclined { message, .. } => self.hide_in(message),
            SubscriptionError::Denied { said: Some(said), .. } => {
                let mut text = String::from(std::mem::take(said));
                self.hide_in(&mut text);
                *said = text.into();
            }
            SubscriptionError::Denied { .. }
            | SubscriptionError::WrongAppKey
            | SubscriptionError::Unacknowledged
            | SubscriptionError::AuthorizationTimedOut
            | _ => {}
        }
    }

    pub(super) fn failure_without_secrets(&self, mut failure: ConnectFailure) -> ConnectFailure {
        self.hide_in(&mut failure.message);
        failure
    }
}

/// Signatures of one socket that are remembered, the newest ones.
const MOST_SIGNATURES: usize = 64;

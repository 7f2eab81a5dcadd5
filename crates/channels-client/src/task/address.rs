//! When the address of the server is looked up again, and what becomes of the answer.

use std::{sync::Arc, time::Duration};

use channels_proto::{ConnectFailureKind, ConnectionError, Time};

use crate::{SocketAddress, SocketAddressError, SocketAddressProvider};

/// The search for a new address, beside the attempts.
#[derive(Debug)]
pub(super) struct AddressSearch {
    provider: Option<Arc<dyn SocketAddressProvider>>,
    /// Attempts since the last connection or answer.
    attempts: u32,
    is_under_way: bool,
    not_before: Time,
    /// A new address has ended a back-off since the last connection.
    hurried: bool,
    answer: Option<Result<SocketAddress, SocketAddressError>>,
}

impl AddressSearch {
    pub(super) const fn new(provider: Option<Arc<dyn SocketAddressProvider>>) -> Self {
        Self { provider, attempts: 0, is_under_way: false, not_before: Time::ZERO, hurried: false, answer: None }
    }

    /// An attempt begins; returns what has been answered since the last one.
    pub(super) fn begin_attempt(&mut self) -> Option<Result<SocketAddress, SocketAddressError>> {
        self.attempts = self.attempts.saturating_add(1);
        self.answer.take()
    }

    /// The server has established the connection: the known address is right, and what was answered before is old.
    pub(super) fn connected(&mut self) {
        (self.attempts, self.hurried, self.answer) = (0, false, None);
    }

    /// An attempt or a connection has failed. Returns whom to ask, when it is time to.
    pub(super) fn failed(&mut self, now: Time, error: &ConnectionError) -> Option<Arc<dyn SocketAddressProvider>> {
        let is_due = (is_refusal(error) || self.attempts >= ATTEMPTS) && now >= self.not_before;
        let provider = self.provider.as_ref().filter(|_| is_due && !self.is_under_way && self.answer.is_none())?;
        self.is_under_way = true;
        Some(Arc::clone(provider))
    }

    /// Returns whether a new address may end a back-off: once an outage, for a provider may name several in turn.
    pub(super) const fn may_hurry(&mut self) -> bool {
        !std::mem::replace(&mut self.hurried, true)
    }

    pub(super) fn answered(&mut self, now: Time, answer: Result<SocketAddress, SocketAddressError>) {
        let wait = answer.as_ref().err().and_then(|error| error.retry_after).unwrap_or_default();
        self.not_before = now + wait.min(LONGEST_WAIT);
        (self.attempts, self.is_under_way, self.answer) = (0, false, Some(answer));
    }
}

/// Whether the server itself says that this is the wrong place, or something else is in its place.
const fn is_refusal(error: &ConnectionError) -> bool {
    let ConnectionError::Connect { kind, .. } = error else {
        return matches!(error, ConnectionError::ClosedEarly { .. } | ConnectionError::Refused { .. });
    };
    if let ConnectFailureKind::Status(status) = kind {
        return *status < 500 && *status != 408 && *status != 429;
    }
    matches!(kind, ConnectFailureKind::NotWebSocket | ConnectFailureKind::Certificate | ConnectFailureKind::Tls)
}

const ATTEMPTS: u32 = 3;
const LONGEST_WAIT: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    // R05: two servers that refuse in turn are not asked every second.
    #[test]
    fn a_new_address_ends_one_back_off_an_outage() {
        let mut search = AddressSearch::new(None);
        assert_eq!([search.may_hurry(), search.may_hurry()], [true, false]);
        search.connected();
        assert!(search.may_hurry());
    }
}

//! Errors that say the same, such as those of two channels at each of many tries: the first is told at once, the others
//! are counted for a minute. Programs get them all.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;
use vms_pusher::{ConnectionState, PusherError, PusherErrorKind as Kind, VmsContinuity, VmsSocketItem};

/// What was told of late.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    errors: VecDeque<Told>,
    tips: VecDeque<(&'static str, Instant)>,
    unavailable: Vec<VmsContinuity>,
}

#[derive(Debug)]
struct Told {
    says: Says,
    at: Instant,
    left_out: u64,
}

/// What an error says, without the numbers and how it goes on, which are others at every try.
type Says = (Kind, Option<u16>, Option<u16>, String);

impl Repeats {
    /// Follows an item, and returns whether a person has not read it already. After good news everything is news.
    pub(super) fn follow(&mut self, item: &VmsSocketItem) -> bool {
        match item {
            VmsSocketItem::ConnectionState { to: ConnectionState::Connected, .. }
            | VmsSocketItem::Continuity(VmsContinuity::Fresh { .. } | VmsContinuity::ResyncNeeded { .. }) => {
                *self = Self::default();
                true
            }
            VmsSocketItem::Continuity(told @ VmsContinuity::Unavailable { channel, .. }) => {
                let is_news = !self.unavailable.contains(told);
                self.unavailable
                    .retain(|told| !matches!(told, VmsContinuity::Unavailable { channel: of, .. } if of == channel));
                self.unavailable.push(told.clone());
                is_news
            }
            VmsSocketItem::AppSocket(_)
            | VmsSocketItem::ConnectionState { .. }
            | VmsSocketItem::Continuity(_)
            | VmsSocketItem::Error(_)
            | VmsSocketItem::Info { .. }
            | VmsSocketItem::IntercomSocket(_) => true,
        }
    }

    /// Returns how many errors that say the same were left out since the last one that was told; none when this one is to
    /// be left out as well.
    pub(super) fn error(&mut self, error: &PusherError, now: Instant) -> Option<u64> {
        let says = says(error);
        let Some(told) = self.errors.iter_mut().find(|told| told.says == says) else {
            self.errors.push_back(Told { says, at: now, left_out: 0 });
            if self.errors.len() > MOST_TOLD {
                self.errors.pop_front();
            }
            return Some(0);
        };
        if now.duration_since(told.at) < A_WHILE {
            told.left_out += 1;
            return None;
        }
        told.at = now;
        Some(std::mem::take(&mut told.left_out))
    }

    /// Returns whether the tip was not given of late.
    pub(super) fn tip(&mut self, tip: &'static str, now: Instant) -> bool {
        self.tips.retain(|(_, at)| now.duration_since(*at) < A_WHILE);
        let is_news = !self.tips.iter().any(|(told, _)| *told == tip);
        if is_news {
            self.tips.push_back((tip, now));
        }
        is_news
    }
}

fn says(error: &PusherError) -> Says {
    let whole = error.message.as_str();
    // That of a channel ends with how it goes on.
    let what =
        if is_about_a_channel(error.kind) { whole.rsplit_once("; ").map_or(whole, |(what, _)| what) } else { whole };
    (error.kind, error.code, error.status, what.chars().filter(|character| !character.is_ascii_digit()).collect())
}

const fn is_about_a_channel(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::AuthorizationMalformed
            | Kind::AuthorizationUnavailable
            | Kind::Denied
            | Kind::SubscriptionRejected
            | Kind::Unacknowledged
            | Kind::WrongAppKey
    )
}

const A_WHILE: Duration = Duration::from_secs(60);
/// More than say different things within a minute, unless a server wants to be read.
const MOST_TOLD: usize = 16;

#[cfg(test)]
mod tests {
    use vms_pusher::VmsChannel;

    use super::*;

    fn error(kind: Kind, status: Option<u16>, message: &str) -> PusherError {
        PusherError { kind, code: None, status, message: message.to_owned() }
    }

    fn unavailable(channel: VmsChannel, is_final: bool) -> VmsSocketItem {
        VmsSocketItem::Continuity(VmsContinuity::Unavailable { channel, is_final, session_is_invalid: false })
    }

    #[test]
    fn errors_that_say_the_same_are_told_once_a_minute_with_how_many_were_left_out() {
        let (mut repeats, start) = (Repeats::default(), Instant::now());
        let failed = |channel: &str, next: &str| {
            let message =
                format!("the channel `{channel}` is not subscribed: http://h:1/auth answered with 503; {next}");
            error(Kind::AuthorizationUnavailable, None, &message)
        };
        let nexts = ["it is tried again in 0.4 s", "it is tried again in 28.1 s (3 times in a row since 10:11)"];
        assert_eq!(repeats.error(&failed("private-token.a", nexts[0]), start), Some(0));
        assert_eq!(repeats.error(&failed("private-user.1", nexts[0]), start), Some(0), "the other channel");
        for seconds in [1, 20, 59] {
            let now = start + Duration::from_secs(seconds);
            assert_eq!(repeats.error(&failed("private-token.a", nexts[1]), now), None);
        }
        let later = start + Duration::from_secs(60);
        assert_eq!(repeats.error(&failed("private-token.a", nexts[1]), later), Some(3));
        assert_eq!(repeats.error(&failed("private-token.a", nexts[1]), later), None);
        assert_eq!(repeats.error(&failed("private-token.a", nexts[1]), later + A_WHILE), Some(1));
    }

    #[test]
    fn what_differs_in_kind_status_or_words_is_told() {
        let (mut repeats, now) = (Repeats::default(), Instant::now());
        for error in [
            error(Kind::Api, Some(502), "no"),
            error(Kind::Api, Some(503), "no"),
            error(Kind::HttpStatus, Some(503), "no"),
            error(Kind::Api, Some(503), "not now"),
        ] {
            assert_eq!(repeats.error(&error, now), Some(0), "{error:?}");
            assert_eq!(repeats.error(&error, now), None, "{error:?}");
        }
    }

    #[test]
    fn however_much_is_said_little_is_kept() {
        let (mut repeats, now) = (Repeats::default(), Instant::now());
        for length in 0..100 {
            repeats.error(&error(Kind::ServerError, None, &"x".repeat(length)), now);
        }
        assert_eq!(repeats.errors.len(), MOST_TOLD);
    }

    #[test]
    fn a_tip_and_an_unchanged_state_of_a_channel_are_not_repeated_until_there_is_good_news() {
        let (mut repeats, now) = (Repeats::default(), Instant::now());
        assert!(repeats.tip("try this", now) && !repeats.tip("try this", now) && repeats.tip("or that", now));
        assert!(repeats.tip("try this", now + A_WHILE));
        assert!(repeats.follow(&unavailable(VmsChannel::User, false)));
        assert!(!repeats.follow(&unavailable(VmsChannel::User, false)));
        assert!(repeats.follow(&unavailable(VmsChannel::Token, false)));
        assert!(
            repeats.follow(&unavailable(VmsChannel::User, true))
                && repeats.follow(&unavailable(VmsChannel::User, false))
        );
        let fresh = VmsSocketItem::Continuity(VmsContinuity::Fresh { channel: VmsChannel::Token });
        assert!(repeats.follow(&fresh));
        assert!(repeats.follow(&unavailable(VmsChannel::User, false)) && repeats.tip("try this", now));
    }
}

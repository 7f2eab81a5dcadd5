//! What is certain of each channel's pushes from session to session, so that a new session ends a gap as a new connection
//! does.

use std::time::Duration;

use vms_pusher::{VmsChannel, VmsContinuity, VmsGapKind, VmsServerClock, VmsSocketItem, VmsTime};

/// The two channels of a run.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    token: Channel,
    user: Channel,
    /// The last estimate of the server's clock that was told.
    clock: Option<VmsServerClock>,
}

/// One of them.
#[derive(Clone, Copy, Debug, Default)]
enum Channel {
    /// It has never been subscribed: nothing was promised.
    #[default]
    Unheard,
    /// Its pushes come.
    Live,
    /// They have not come since then, and that has been told.
    Lost { since: VmsTime, clock: Option<VmsServerClock> },
}

impl Gaps {
    /// Follows an item, and returns what it is for whoever has listened since the first session: a channel that is fresh
    /// in a later one ends a gap. `now` is this device's time.
    pub(super) fn follow(&mut self, item: VmsSocketItem, now: VmsTime) -> VmsSocketItem {
        let VmsSocketItem::Continuity(continuity) = item else { return item };
        let continuity = match continuity {
            VmsContinuity::Fresh { channel } => self.fresh(channel, now),
            VmsContinuity::Interrupted { channel, since, clock, .. } => {
                self.clock = clock.or(self.clock);
                *self.of(channel) = Channel::Lost { since, clock };
                continuity
            }
            VmsContinuity::ResyncNeeded { channel, clock, .. } => {
                self.clock = clock.or(self.clock);
                *self.of(channel) = Channel::Live;
                continuity
            }
            VmsContinuity::Lagged { .. }
            | VmsContinuity::Suspended { .. }
            | VmsContinuity::Unavailable { .. }
            | VmsContinuity::Unreadable { .. } => continuity,
        };
        VmsSocketItem::Continuity(continuity)
    }

    fn fresh(&mut self, channel: VmsChannel, now: VmsTime) -> VmsContinuity {
        let before = std::mem::replace(self.of(channel), Channel::Live);
        let Channel::Lost { since, clock } = before else { return VmsContinuity::Fresh { channel } };
        // In the time of the same clock as `since`, rounded outwards.
        let until = clock.map_or(now, |clock| later(now, clock.ahead_ms.saturating_add(uncertainty(clock)), MILLIS));
        let scopes = channel.scopes().to_vec();
        VmsContinuity::ResyncNeeded { channel, scopes, since, until: until.max(since), clock }
    }

    /// Ends the session, and returns what is to be told of the channels that are lost with it. Everything that had come by
    /// `now` has been told. `silence` is how long a connection may be without a sign of life before it counts as lost.
    pub(super) fn end_session(&mut self, now: VmsTime, silence: Duration) -> Vec<VmsSocketItem> {
        let silence = i64::try_from(silence.as_micros()).unwrap_or(i64::MAX);
        let certain = later(now, silence.saturating_neg(), 1);
        let clock = self.clock;
        let since =
            clock.map_or(certain, |clock| later(certain, clock.ahead_ms.saturating_sub(uncertainty(clock)), MILLIS));
        let mut told = Vec::new();
        for channel in [VmsChannel::Token, VmsChannel::User] {
            if let Channel::Live = self.of(channel) {
                *self.of(channel) = Channel::Lost { since, clock };
                let cause = "the session is no longer valid, and another one is opened".to_owned();
                let kind = VmsGapKind::Other;
                let lost = VmsContinuity::Interrupted { channel, since, clock, kind, cause };
                told.push(VmsSocketItem::Continuity(lost));
            }
        }
        told
    }

    const fn of(&mut self, channel: VmsChannel) -> &mut Channel {
        match channel {
            VmsChannel::Token => &mut self.token,
            VmsChannel::User => &mut self.user,
        }
    }
}

fn uncertainty(clock: VmsServerClock) -> i64 {
    i64::try_from(clock.uncertainty_ms).unwrap_or(i64::MAX)
}

/// Returns the time `count` units of so many microseconds later; the same one when that is no time.
fn later(time: VmsTime, count: i64, micros: i64) -> VmsTime {
    VmsTime::from_unix_micros(time.unix_micros().saturating_add(count.saturating_mul(micros))).unwrap_or(time)
}

/// In microseconds.
const MILLIS: i64 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    const SILENCE: Duration = Duration::from_secs(40);
    const CLOCK: VmsServerClock = VmsServerClock { ahead_ms: -5_000, uncertainty_ms: 200 };

    fn at(seconds: i64) -> VmsTime {
        VmsTime::from_unix_micros(1_700_000_000_000_000 + seconds * 1_000_000).unwrap()
    }

    fn fresh(channel: VmsChannel) -> VmsSocketItem {
        VmsSocketItem::Continuity(VmsContinuity::Fresh { channel })
    }

    fn lost(channel: VmsChannel, since: VmsTime, clock: Option<VmsServerClock>) -> VmsSocketItem {
        let (kind, cause) = (VmsGapKind::Silent, String::new());
        VmsSocketItem::Continuity(VmsContinuity::Interrupted { channel, since, clock, kind, cause })
    }

    #[track_caller]
    fn gap(item: &VmsSocketItem) -> (VmsTime, VmsTime) {
        let VmsSocketItem::Continuity(VmsContinuity::ResyncNeeded { since, until, scopes, channel, .. }) = item else {
            panic!("{item:?}")
        };
        assert_eq!(scopes, channel.scopes());
        (*since, *until)
    }

    // I26, I27
    #[test]
    fn a_channel_that_is_fresh_in_a_later_session_ends_the_gap_that_the_earlier_one_left() {
        let mut gaps = Gaps::default();
        for channel in [VmsChannel::Token, VmsChannel::User] {
            assert_eq!(gaps.follow(fresh(channel), at(0)), fresh(channel), "nothing came before the first session");
        }
        gaps.follow(lost(VmsChannel::Token, at(90), None), at(100));
        let told = gaps.end_session(at(101), SILENCE);
        let [VmsSocketItem::Continuity(VmsContinuity::Interrupted { channel, since, .. })] = &told[..] else {
            panic!("only the channel that was live is lost with the session: {told:?}")
        };
        assert_eq!((*channel, *since), (VmsChannel::User, at(61)));
        assert_eq!(gap(&gaps.follow(fresh(VmsChannel::Token), at(110))), (at(90), at(110)));
        assert_eq!(gap(&gaps.follow(fresh(VmsChannel::User), at(111))), (at(61), at(111)));
        assert_eq!(gaps.follow(fresh(VmsChannel::User), at(112)), fresh(VmsChannel::User), "the gap is over");
    }

    #[test]
    fn a_gap_lasts_through_a_session_in_which_the_channel_was_never_subscribed() {
        let mut gaps = Gaps::default();
        gaps.follow(fresh(VmsChannel::User), at(0));
        gaps.follow(lost(VmsChannel::User, at(1), None), at(2));
        assert_eq!(gaps.end_session(at(3), SILENCE), []);
        assert_eq!(gaps.end_session(at(4), SILENCE), []);
        assert_eq!(gap(&gaps.follow(fresh(VmsChannel::User), at(5))), (at(1), at(5)));
    }

    // I27: both ends are of one clock, rounded outwards
    #[test]
    fn a_gap_between_sessions_is_in_the_time_of_the_server_where_that_is_known() {
        let mut gaps = Gaps::default();
        gaps.follow(fresh(VmsChannel::Token), at(0));
        gaps.follow(fresh(VmsChannel::User), at(0));
        gaps.follow(lost(VmsChannel::Token, at(85), Some(CLOCK)), at(100));
        let told = gaps.end_session(at(100), SILENCE);
        let VmsSocketItem::Continuity(VmsContinuity::Interrupted { since, clock, .. }) = &told[0] else { panic!() };
        assert_eq!(*clock, Some(CLOCK));
        assert_eq!(since.unix_micros(), at(100 - 40 - 5).unix_micros() - 200_000);
        let (since, until) = gap(&gaps.follow(fresh(VmsChannel::Token), at(110)));
        assert_eq!((since, until.unix_micros()), (at(85), at(110 - 5).unix_micros() + 200_000));
    }
}

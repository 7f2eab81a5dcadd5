//! What the server published and what became of it: every event on a channel that is wanted is delivered, or lies inside
//! a gap.

use super::*;

/// The account of all channels. Events are numbered over all of them.
#[derive(Default)]
pub(super) struct History {
    number: u64,
    accounts: BTreeMap<String, Account>,
}

#[derive(Default)]
struct Account {
    /// It was reported as subscribed and has been wanted since: every event counts.
    is_promised: bool,
    /// Published since then, and neither delivered nor inside a gap yet, with the time.
    missing: VecDeque<(u64, Time)>,
    /// The newest that was delivered.
    newest: u64,
    /// When the gap began that has not ended.
    gap: Option<Time>,
}

impl History {
    /// Returns the number of an event that the server publishes now.
    pub(super) fn published(&mut self, now: Time, channel: &str) -> u64 {
        self.number += 1;
        let number = self.number;
        let account = self.account(channel);
        if account.is_promised {
            account.missing.push_back((number, now));
        }
        number
    }

    pub(super) fn delivered(&mut self, channel: &str, number: u64) {
        let account = self.account(channel);
        assert!(account.newest < number, "I24: {channel} e{number} after e{}", account.newest);
        account.newest = number;
        if account.missing.front().is_some_and(|(missing, _)| *missing == number) {
            account.missing.pop_front();
        }
        let vanished = account.missing.front().filter(|(missing, _)| *missing < number);
        assert_eq!(vanished, None, "I26: {channel}, before e{number}");
    }

    pub(super) fn interrupted(&mut self, channel: &str, since: Time) {
        let account = self.account(channel);
        assert!(account.is_promised, "I27: {channel} had not been subscribed");
        assert_eq!(account.gap.replace(since), None, "I27: {channel} has a gap already");
        let too_early = account.missing.iter().find(|(_, at)| *at < since);
        assert_eq!(too_early, None, "I27: {channel} missed it before its gap, which begins at {since:?}");
    }

    pub(super) fn subscribed(&mut self, now: Time, channel: &str, continuity: Continuity) {
        let account = self.account(channel);
        match (continuity, account.gap.take()) {
            (Continuity::Fresh, None) => assert!(!account.is_promised, "I26: {channel} is not fresh"),
            (Continuity::Gap { since, until, .. }, Some(opened)) => {
                // `until` is when the acknowledgement was read: no later, and no earlier.
                assert_eq!((since, until), (opened, now), "I27: {channel}");
                account.missing.retain(|(_, at)| !(since..=until).contains(at));
            }
            (continuity, opened) => panic!("I27: {channel} {continuity:?} {opened:?}"),
        }
        account.is_promised = true;
    }

    /// The caller does not want the channel any more: whatever is under way is dropped.
    pub(super) fn left(&mut self, channel: &str) {
        let account = self.account(channel);
        *account = Account { newest: account.newest, ..Account::default() };
    }

    /// What was promised and missed of `old` is promised and missed of `new`.
    pub(super) fn replaced(&mut self, old: &str, new: &str) {
        let before = self.accounts.remove(old).unwrap_or_default();
        let after = self.account(new);
        *after = Account { newest: after.newest, ..before };
    }

    /// The caller ended the session.
    pub(super) fn ended(&mut self) {
        for account in self.accounts.values_mut() {
            *account = Account { newest: account.newest, ..Account::default() };
        }
    }

    /// Nothing is under way any more.
    pub(super) fn check_complete(&self) {
        for (channel, account) in &self.accounts {
            assert_eq!(account.missing, [], "I26: {channel}");
        }
    }

    fn account(&mut self, channel: &str) -> &mut Account {
        self.accounts.entry(channel.to_owned()).or_default()
    }
}

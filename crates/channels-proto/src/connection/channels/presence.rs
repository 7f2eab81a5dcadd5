//! What the server says about a channel beside its events: members, numbers, and that nothing is cached.

use super::{
    Channels, SocketContext,
    channel::{Channel, Extra, Step, Subscribe},
    sealed,
};
use crate::{ChannelKind, ChannelName, Data, Member, Members, Report, members::Addition};

/// Returns what the kind of the channel has, now that its subscribe was acknowledged with `data`.
pub(super) fn extra_of(name: &ChannelName, subscribe: &Subscribe, data: Data<'_>, most: usize) -> Extra {
    match name.kind() {
        ChannelKind::Presence => {
            let own = subscribe.authorization.as_ref().and_then(|authorization| authorization.channel_data.as_deref());
            Extra::Presence(Members::parse(data, own.and_then(Member::parse), most))
        }
        // The key was read before the subscribe was sent.
        ChannelKind::PrivateEncrypted => sealed::extra_of(subscribe.authorization.as_ref()).unwrap_or(Extra::None),
        ChannelKind::Public | ChannelKind::Private | ChannelKind::ServerToUser => Extra::None,
    }
}

impl Channel {
    /// Handles a further acknowledgement of a presence channel: what has changed in its list is reported.
    pub(super) fn renew_members(&mut self, name: &ChannelName, data: Data<'_>, socket: &mut SocketContext<'_>) {
        let Extra::Presence(members) = &mut self.extra else { return };
        let renewed = Members::parse(data, members.own().cloned(), socket.options.limits.max_members);
        let before = std::mem::replace(members, renewed.clone());
        for member in before.iter().filter(|member| renewed.find(member.id()).is_none()) {
            socket.report(Report::MemberRemoved { channel: name.clone(), member: member.clone() });
        }
        for member in renewed.iter().filter(|member| before.find(member.id()) != Some(member)) {
            socket.report(Report::MemberAdded { channel: name.clone(), member: member.clone() });
        }
    }
}

impl Channels {
    /// Handles `pusher_internal:member_added`. One who is there already is no news: the user has connected again.
    pub(in crate::connection) fn member_added(&mut self, name: &str, data: Data<'_>, socket: &mut SocketContext<'_>) {
        let added = Member::of(data).and_then(|member| {
            let (channel, addition) = self.change_members(name, |members| members.added(&member))?;
            Some((channel, member, addition))
        });
        match added {
            Some((_, _, Addition::Same)) => {}
            Some((channel, member, Addition::New | Addition::Changed)) => {
                socket.report(Report::MemberAdded { channel, member });
            }
            None => socket.counters.ignored_internal_events += 1,
        }
    }

    /// Handles `pusher_internal:member_removed`.
    pub(in crate::connection) fn member_removed(&mut self, name: &str, data: Data<'_>, socket: &mut SocketContext<'_>) {
        let removed = Member::of(data).and_then(|gone| self.change_members(name, |members| members.remove(gone.id())));
        match removed.and_then(|(channel, member)| Some((channel, member?))) {
            Some((channel, member)) => socket.report(Report::MemberRemoved { channel, member }),
            None => socket.counters.ignored_internal_events += 1,
        }
    }

    /// Returns the name of a subscribed channel.
    pub(in crate::connection) fn subscribed(&self, name: &str) -> Option<ChannelName> {
        let (name, channel) = self.table.get(name)?;
        matches!(channel.step, Step::Subscribed).then(|| name.clone())
    }

    fn change_members<R>(&mut self, name: &str, change: impl FnOnce(&mut Members) -> R) -> Option<(ChannelName, R)> {
        let name = self.subscribed(name)?;
        let changed = match &mut self.table.edit(&name)?.extra {
            Extra::Presence(members) => Some(change(members)),
            Extra::None | Extra::Sealed(_) => None,
        };
        changed.map(|changed| (name, changed))
    }
}

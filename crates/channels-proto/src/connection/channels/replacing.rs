//! One channel in place of another: what was missed of the first counts as missed of the second.

use super::{
    Channels, SocketContext,
    channel::{Step, Track},
};
use crate::{ChannelName, GapCause, Options, Output, Time};

impl Channels {
    /// Puts `new` in place of `old` on a live socket.
    pub(in crate::connection) fn replace(
        &mut self,
        old: &ChannelName,
        new: &ChannelName,
        since: Time,
        socket: &mut SocketContext<'_>,
    ) {
        let (before, certain) = (self.track_of(old), since.min(socket.certain_until));
        self.cancel_key(old, socket.outputs);
        if let Some(mut channel) = self.table.edit(old) {
            channel.end_extra(old, socket.outputs);
        }
        self.leave(old, socket);
        if self.inherit(new, before, since, socket.options)
            && let (Track::Live, Some(mut channel)) = (before, self.table.edit(new))
        {
            channel.lost(new, certain, GapCause::Replaced, socket.outputs);
        }
        self.advance(socket);
    }

    /// The same while there is no live socket.
    pub(in crate::connection) fn replace_offline(
        &mut self,
        old: &ChannelName,
        new: &ChannelName,
        since: Time,
        options: &Options,
    ) {
        let before = self.track_of(old);
        self.forget(old);
        self.inherit(new, before, since, options);
    }

    /// Requests the authorization under way anew: its answer may be about another token.
    pub(in crate::connection) fn ask_anew(&mut self, name: &ChannelName, link: &mut SocketContext<'_>) {
        let Some(mut channel) = self.table.edit(name) else { return };
        if let Step::Authorizing { id, .. } = channel.step {
            channel.step = Step::Idle;
            self.pending.remove(&id.0);
            link.outputs.push_back(Output::CancelAuthorization { id });
        }
    }

    /// Requests `new`, which has lost what was lost `before`, and its own events since `since`. Returns whether it
    /// was not requested yet.
    fn inherit(&mut self, new: &ChannelName, before: Track, since: Time, options: &Options) -> bool {
        if self.is_wanted(new) {
            return false;
        }
        // One has gone and one has come, so there is room; what is still being left does not count here.
        if self.want(new.clone(), options.limits.max_channels.max(self.table.len() + 1)).is_err() {
            return false;
        }
        if let (Track::Lost { since: lost, cause }, Some(mut channel)) = (before, self.table.edit(new)) {
            channel.track = Track::Lost { since: lost.min(since), cause };
        }
        true
    }

    fn track_of(&self, name: &ChannelName) -> Track {
        let wanted = self.table.get(name.as_str()).filter(|(_, channel)| channel.is_wanted());
        wanted.map_or(Track::Fresh, |(_, channel)| channel.track)
    }
}

use vms_pusher::{VmsChannel, VmsContinuity, VmsResyncScope, VmsSocketItem};

/// What has to be loaded again after gaps that end at about the same time, to be told once.
#[derive(Debug, Default)]
pub(super) struct Reload {
    lost: Vec<VmsChannel>,
    scopes: Vec<VmsResyncScope>,
}

impl Reload {
    /// Returns the item as it is to be told: the end of a gap without its scopes while another gap is open, then with those
    /// of all.
    pub(super) fn once(&mut self, item: &VmsSocketItem) -> VmsSocketItem {
        let mut item = item.clone();
        match &mut item {
            VmsSocketItem::Continuity(VmsContinuity::Interrupted { channel, .. }) if !self.lost.contains(channel) => {
                self.lost.push(*channel);
            }
            VmsSocketItem::Continuity(VmsContinuity::ResyncNeeded { channel, scopes, .. }) => {
                self.lost.retain(|lost| lost != channel);
                self.scopes.append(scopes);
                if self.lost.is_empty() {
                    self.scopes.sort_unstable();
                    self.scopes.dedup();
                    *scopes = std::mem::take(&mut self.scopes);
                }
            }
            VmsSocketItem::AppSocket(_)
            | VmsSocketItem::ConnectionState { .. }
            | VmsSocketItem::Continuity(_)
            | VmsSocketItem::Error(_)
            | VmsSocketItem::Info { .. }
            | VmsSocketItem::IntercomSocket(_) => {}
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use vms_pusher::{VmsGapKind, VmsTime};

    use super::*;

    #[test]
    fn the_scopes_of_gaps_that_end_together_are_told_once() {
        let mut reload = Reload::default();
        let time = VmsTime::from_unix_micros(0).unwrap();
        let lost = |channel| {
            let (kind, cause) = (VmsGapKind::Silent, String::new());
            VmsSocketItem::Continuity(VmsContinuity::Interrupted { channel, since: time, clock: None, kind, cause })
        };
        let back = |channel: VmsChannel| {
            let (scopes, since, until) = (channel.scopes().to_vec(), time, time);
            VmsSocketItem::Continuity(VmsContinuity::ResyncNeeded { channel, scopes, since, until, clock: None })
        };
        let mut told = |item| {
            let told = reload.once(&item);
            if let VmsSocketItem::Continuity(VmsContinuity::ResyncNeeded { scopes, .. }) = told {
                Some(scopes)
            } else {
                None
            }
        };
        for _ in 0..2 {
            assert_eq!((told(lost(VmsChannel::Token)), told(lost(VmsChannel::User))), (None, None));
            assert_eq!(told(back(VmsChannel::User)), Some(Vec::new()));
            assert_eq!(told(back(VmsChannel::Token)), Some(VmsResyncScope::ALL.to_vec()));
        }
        assert_eq!(told(lost(VmsChannel::Token)), None);
        assert_eq!(told(back(VmsChannel::Token)).map(|scopes| scopes.len()), Some(VmsChannel::Token.scopes().len()));
    }
}

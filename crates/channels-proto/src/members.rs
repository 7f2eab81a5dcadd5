//! Who is on a presence channel.

mod reading;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

/// A member of a presence channel. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    id: Arc<str>,
    info: Option<Arc<str>>,
}

impl Member {
    pub(crate) fn new(id: &str, info: Option<&str>) -> Self {
        Self { id: id.into(), info: info.map(Into::into) }
    }

    /// Returns the id of the user. Where a server sends a number, it is the text of that number as it was written.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns what the application says about the user, as JSON text; none when that is absent or `null`.
    #[must_use]
    pub fn info(&self) -> Option<&str> {
        self.info.as_deref()
    }

    fn bytes(&self) -> usize {
        self.id.len() + self.info.as_deref().map_or(0, str::len)
    }
}

/// The members of a presence channel, by their ids: a user who is connected several times is one member.
///
/// They come with [`Report::Subscribed`](crate::Report::Subscribed), and [`Report::MemberAdded`](crate::Report::MemberAdded)
/// and [`Report::MemberRemoved`](crate::Report::MemberRemoved) say what changes afterwards; [`add`](Self::add) and
/// [`remove`](Self::remove) keep a copy current. Cheap to clone: copies share what they have until one changes.
///
/// At most [`Limits::max_members`](crate::Limits::max_members) are kept, and 4 MiB of their ids and infos. The others
/// are [`omitted`](Self::omitted), and counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Members(Arc<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    kept: BTreeMap<Arc<str>, Member>,
    omitted: usize,
    bytes: usize,
    most: usize,
    me: Option<Member>,
}

/// What became of a member that was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Addition {
    New,
    /// It was there, with other info.
    Changed,
    /// It was there.
    Same,
}

impl Members {
    pub(crate) fn new(me: Option<Member>, most: usize) -> Self {
        Self(Arc::new(Inner { kept: BTreeMap::new(), omitted: 0, bytes: 0, most, me }))
    }

    /// Returns how many members there are, those that are not kept among them.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.kept.len().saturating_add(self.0.omitted)
    }

    /// Returns how many members are not kept because there are too many. It is exact until one of them leaves or is
    /// announced again: nobody remembers who they are.
    #[must_use]
    pub fn omitted(&self) -> usize {
        self.0.omitted
    }

    /// Returns the member with this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Member> {
        self.0.kept.get(id)
    }

    /// Returns the member that this client is, by the `channel_data` of its own authorization.
    #[must_use]
    pub fn me(&self) -> Option<&Member> {
        let me = self.0.me.as_ref()?;
        Some(self.find(me.id()).unwrap_or(me))
    }

    pub(crate) fn own(&self) -> Option<&Member> {
        self.0.me.as_ref()
    }

    /// Returns the members that are kept, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Member> {
        self.0.kept.values()
    }

    /// Returns about how many bytes of memory the members that are kept take.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.bytes.saturating_add(self.0.kept.len().saturating_mul(MEMBER_BYTES))
    }

    /// Adds a member, or renews what is known of it.
    pub fn add(&mut self, member: &Member) {
        self.added(member);
    }

    pub(crate) fn added(&mut self, member: &Member) -> Addition {
        if self.find(member.id()) == Some(member) {
            return Addition::Same;
        }
        let inner = Arc::make_mut(&mut self.0);
        let before = inner.kept.remove(member.id());
        inner.bytes = inner.bytes.saturating_sub(before.as_ref().map_or(0, Member::bytes));
        let bytes = inner.bytes.saturating_add(member.bytes());
        if inner.kept.len() < inner.most && bytes <= MOST_BYTES {
            inner.bytes = bytes;
            inner.kept.insert(Arc::clone(&member.id), member.clone());
        } else {
            inner.omitted = inner.omitted.saturating_add(1);
        }
        if before.is_some() { Addition::Changed } else { Addition::New }
    }

    /// Removes the member with this id, and returns it. One that is not known was none, unless some are omitted: then
    /// it was one of those.
    pub fn remove(&mut self, id: &str) -> Option<Member> {
        if self.find(id).is_none() && self.0.omitted == 0 {
            return None;
        }
        let inner = Arc::make_mut(&mut self.0);
        match inner.kept.remove(id) {
            Some(member) => {
                inner.bytes = inner.bytes.saturating_sub(member.bytes());
                Some(member)
            }
            None => {
                inner.omitted = inner.omitted.saturating_sub(1);
                Some(Member::new(id, None))
            }
        }
    }
}

/// What a member takes beside its id and info.
const MEMBER_BYTES: usize = 128;
/// Of the ids and infos that are kept of one channel: a server could send any number of long ones.
const MOST_BYTES: usize = 4 * 1024 * 1024;

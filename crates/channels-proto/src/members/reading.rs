//! The forms in which servers send members.

use std::borrow::Cow;

use super::{Member, Members};
use crate::{
    Data,
    json::{self, Elements, Value},
};

impl Member {
    /// Reads `{"user_id", "user_info"?}`: the `data` of `member_added` and `member_removed`, and `channel_data`. `None`
    /// when there is no id.
    pub(crate) fn parse(payload: &str) -> Option<Self> {
        let (mut id, mut info) = (None, None);
        for member in json::Members::of(payload, DEPTH).ok()? {
            let (key, value) = member.ok()?;
            match key.as_ref() {
                "user_id" => id = value.scalar(),
                "user_info" => info = info_of(value),
                _ => {}
            }
        }
        id.map(|id| Self::new(&id, info))
    }

    /// The same as a server sends it.
    pub(crate) fn of(data: Data<'_>) -> Option<Self> {
        Self::parse(&data.payload().ok()?)
    }
}

impl Members {
    /// Reads `{"presence": {"ids", "hash"}}`, the `data` of an acknowledgement. A list that is missing or cannot be
    /// read is empty: the members are then those that are announced later.
    pub(crate) fn parse(data: Data<'_>, me: Option<Member>, most: usize) -> Self {
        let mut members = Self::new(me, most);
        let payload = data.payload().unwrap_or_default();
        for (key, value) in objects(&payload) {
            if key == "presence" {
                members.read(value.text());
            }
        }
        members
    }

    fn read(&mut self, presence: &str) {
        let (mut ids, mut hash) = ("", "");
        for (key, value) in objects(presence) {
            match key.as_ref() {
                "ids" => ids = value.text(),
                "hash" => hash = value.text(),
                _ => {}
            }
        }
        for (id, value) in objects(hash) {
            self.added(&Member::new(&id, info_of(value)));
        }
        // PHP writes an array whose keys are 0, 1, … as a list.
        for (id, value) in elements(hash).enumerate() {
            self.added(&Member::new(&id.to_string(), info_of(value)));
        }
        let is_complete = self.omitted() == 0;
        for value in elements(ids) {
            let Some(id) = value.scalar() else { continue };
            // Of those that did not fit it is not known whether they are in both.
            if is_complete && self.find(&id).is_none() {
                self.added(&Member::new(&id, None));
            }
        }
    }
}

fn info_of(value: Value<'_>) -> Option<&str> {
    (!value.is_null()).then_some(value.text())
}

/// The members of an object up to the first that cannot be read; none when it is not an object.
fn objects(text: &str) -> impl Iterator<Item = (Cow<'_, str>, Value<'_>)> {
    json::Members::of(text, DEPTH).into_iter().flatten().flatten()
}

fn elements(text: &str) -> impl Iterator<Item = Value<'_>> {
    Elements::of(text, DEPTH).into_iter().flatten().flatten()
}

/// What the message around it may have at most.
const DEPTH: u32 = 128;

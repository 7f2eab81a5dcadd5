//! The data of presence channels, as most servers write it.

use serde_json::{Map, Value, json};

use crate::member::{Membership, text};

/// `{"presence":{"count":…,"ids":[…],"hash":{…}}}`
pub(super) fn members(members: &[Membership]) -> String {
    let ids: Vec<_> = members.iter().filter_map(Membership::id).collect();
    let hash: Map<String, Value> = members.iter().filter_map(entry).collect();
    json!({"presence": {"count": members.len(), "ids": ids, "hash": hash}}).to_string()
}

/// A member's id and info; a member without info has `null`.
fn entry(member: &Membership) -> Option<(String, Value)> {
    Some((text(member.id()?), member.info().cloned().unwrap_or_default()))
}

/// The data of `member_added`: without `user_info` if the member has none.
pub(super) fn added(member: &Membership) -> String {
    let mut data = Map::new();
    data.insert("user_id".to_owned(), member.id().cloned().unwrap_or_default());
    if let Some(info) = member.info() {
        data.insert("user_info".to_owned(), info.clone());
    }
    Value::from(data).to_string()
}

/// The data of `member_removed`.
pub(super) fn removed(member: &Membership) -> String {
    json!({"user_id": member.id()}).to_string()
}

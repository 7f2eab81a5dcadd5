//! The REST requests that were answered.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

/// A REST request that was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The headers in lower case, in order; `authorization` is included, as the tokens are valid in
    /// the sandbox only.
    pub headers: Vec<(String, String)>,
    /// The status of the answer; 0 if a fault left the request unanswered.
    pub status: u16,
    /// Milliseconds since the sandbox was started.
    pub at_millis: u64,
}

impl RequestRecord {
    /// The value of a header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The last requests, and how many there were of each kind.
#[derive(Debug, Default)]
pub(crate) struct Requests(Mutex<Record>);

#[derive(Debug, Default)]
struct Record {
    last: VecDeque<RequestRecord>,
    counts: BTreeMap<String, u64>,
}

impl Requests {
    pub(crate) fn record(&self, request: RequestRecord) {
        let mut record = self.lock();
        let place = format!("{} {}", request.method, without_numbers(&request.path));
        if record.counts.len() < MAX_PLACES || record.counts.contains_key(&place) {
            *record.counts.entry(place).or_default() += 1;
        }
        record.last.push_back(request);
        if record.last.len() > MAX_REQUESTS {
            record.last.pop_front();
        }
    }

    pub(crate) fn last(&self) -> Vec<RequestRecord> {
        self.lock().last.iter().cloned().collect()
    }

    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        self.lock().counts.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The path with `{id}` instead of every number.
fn without_numbers(path: &str) -> String {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = path.split('/').map(|part| if is_number(part) { "{id}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

const MAX_REQUESTS: usize = 1_024;
const MAX_PLACES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_place_with_ids_taken_out() {
        assert_eq!(without_numbers("/api/v1/cameras/17/sync-groups"), "/api/v1/cameras/{id}/sync-groups");
        assert_eq!(without_numbers("/api/v1/wsurl"), "/api/v1/wsurl");
    }
}

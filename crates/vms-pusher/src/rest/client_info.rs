use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::config_error::ConfigError;

/// How a client identifies itself in every call of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VmsClientInfo {
    /// The program's name (`X-Client`), `vms-pusher` by default.
    pub name: String,
    /// The program's version (`X-Version`), that of this crate by default.
    pub version: String,
    /// The language of texts for people (`hl`), `en` by default.
    pub language: String,
    /// The id of the device (`X-UUID`). By default one that lasts as long as the process; set a permanent one for the
    /// server to recognise the device.
    pub device_id: String,
}

impl Default for VmsClientInfo {
    fn default() -> Self {
        Self {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            language: "en".to_owned(),
            device_id: id_of_this_process().to_owned(),
        }
    }
}

impl VmsClientInfo {
    /// Returns its headers. Clients of a process mostly say the same of themselves, and those share them.
    pub(crate) fn headers(&self) -> Result<Arc<HeaderMap>, ConfigError> {
        static LAST: Mutex<Option<(VmsClientInfo, Weak<HeaderMap>)>> = Mutex::new(None);
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        let same = last.as_ref().filter(|(client, _)| client == self);
        if let Some(headers) = same.and_then(|(_, headers)| headers.upgrade()) {
            return Ok(headers);
        }
        let headers = Arc::new(self.to_headers()?);
        *last = Some((self.clone(), Arc::downgrade(&headers)));
        Ok(headers)
    }

    fn to_headers(&self) -> Result<HeaderMap, ConfigError> {
        let agent = format!("{}/{}", self.name, self.version);
        let fields = [
            ("name", header::USER_AGENT, &agent),
            ("name", HeaderName::from_static("x-client"), &self.name),
            ("version", HeaderName::from_static("x-version"), &self.version),
            ("language", HeaderName::from_static("hl"), &self.language),
            ("device_id", HeaderName::from_static("x-uuid"), &self.device_id),
        ];
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        for (field, name, text) in fields {
            let value =
                HeaderValue::from_str(text).map_err(|_| ConfigError::ClientInfo { field, value: text.clone() })?;
            headers.insert(name, value);
        }
        Ok(headers)
    }
}

/// A UUID of version 4. The standard library's hash keys come from the operating system's randomness.
fn id_of_this_process() -> &'static str {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(|| {
        let random = || std::collections::hash_map::RandomState::new().build_hasher().finish();
        let (high, low) = (random(), random());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0x0fff,
            0x8000 | ((low >> 48) & 0x3fff),
            low & 0xffff_ffff_ffff,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_that_say_the_same_share_their_headers_and_others_have_their_own() {
        let anna = VmsClientInfo::default();
        let berta = VmsClientInfo { device_id: "berta's".to_owned(), ..VmsClientInfo::default() };
        let (first, again, other) = (anna.headers().unwrap(), anna.headers().unwrap(), berta.headers().unwrap());
        assert!(Arc::ptr_eq(&first, &again));
        assert_eq!(other.get("x-uuid").unwrap(), "berta's");
        assert_eq!(anna.headers().unwrap(), first);
    }
}

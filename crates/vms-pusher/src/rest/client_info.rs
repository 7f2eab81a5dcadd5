use std::hash::{BuildHasher, Hasher};
use std::sync::OnceLock;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::config_error::ConfigError;

/// What a client says about itself in every call of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VmsClientInfo {
    /// The program's name (`X-Client`), `vms-pusher` by default.
    pub name: String,
    /// The program's version (`X-Version`), that of this crate by default.
    pub version: String,
    /// The language for texts to people (`hl`), `en` by default.
    pub language: String,
    /// The id of the device (`X-UUID`). By default one that lasts as long as the process; give a lasting one for the
    /// server to know the device again.
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
    pub(crate) fn headers(&self) -> Result<HeaderMap, ConfigError> {
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

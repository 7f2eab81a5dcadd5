use thiserror::Error;

/// Why an event of an encrypted channel could not be decrypted. Nothing of the key or of the event is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecryptionError {
    /// The data is no object of `nonce` and `ciphertext`: the event was published without encryption, or its frame is
    /// not valid JSON.
    #[error("the data is not an object of `nonce` and `ciphertext`: was it published without encryption?")]
    NotSealed,
    /// There is no `nonce`, or it is not a string.
    #[error("the data has no `nonce`")]
    NoNonce,
    /// There is no `ciphertext`, or it is not a string.
    #[error("the data has no `ciphertext`")]
    NoCiphertext,
    /// The nonce is not base64.
    #[error("the nonce is not base64")]
    NonceNotBase64,
    /// The ciphertext is not base64.
    #[error("the ciphertext is not base64")]
    CiphertextNotBase64,
    /// The nonce has a wrong length.
    #[error("the nonce has {bytes} bytes instead of 24")]
    NonceSize {
        /// Its length.
        bytes: usize,
    },
    /// The ciphertext is shorter than the tag at its beginning.
    #[error("the ciphertext has {bytes} bytes, fewer than the 16 of its tag")]
    CiphertextTooShort {
        /// Its length.
        bytes: usize,
    },
    /// The key of the channel does not open it, and no other key was to be had: it was sealed with another key, or
    /// changed on the way.
    #[error(
        "the key of the channel does not open it: do publisher and authorization endpoint have the same master key?"
    )]
    WrongKey,
    /// What was sealed is not text in UTF-8.
    #[error("the decrypted data is not UTF-8")]
    NotText,
    /// `shared_secret` is not base64.
    #[error("the shared secret of the authorization is not base64")]
    KeyNotBase64,
    /// `shared_secret` has a wrong length.
    #[error("the shared secret of the authorization has {bytes} bytes instead of 32")]
    KeySize {
        /// Its length.
        bytes: usize,
    },
    /// The socket ended before a key could be obtained that opens it.
    #[error("the connection ended before another key was obtained")]
    Interrupted,
}

impl DecryptionError {
    /// Returns whether another key might help.
    #[cfg(feature = "encryption")]
    pub(crate) const fn is_of_key(self) -> bool {
        matches!(self, Self::WrongKey)
    }
}

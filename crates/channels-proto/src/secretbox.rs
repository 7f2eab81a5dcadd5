//! NaCl's `crypto_secretbox` (`XSalsa20` and `Poly1305`), with which the events of an encrypted channel are sealed.

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use poly1305::{Poly1305, universal_hash::KeyInit as _};
use salsa20::{
    XSalsa20,
    cipher::{KeyIvInit as _, StreamCipher as _},
};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::{Data, DecryptionError, Secret, json::Members};

/// The key of an encrypted channel; wiped when it is dropped.
#[derive(Clone)]
pub(crate) struct Key(Zeroizing<[u8; KEY_BYTES]>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

impl Key {
    /// Reads the `shared_secret` of an authorization: 32 bytes in base64.
    pub(crate) fn parse(shared_secret: &Secret) -> Result<Self, DecryptionError> {
        let text = shared_secret.expose();
        let mut decoded = Zeroizing::new(Vec::with_capacity(base64::decoded_len_estimate(text.len())));
        BASE64.decode_vec(text, &mut decoded).map_err(|_| DecryptionError::KeyNotBase64)?;
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        if decoded.len() != KEY_BYTES {
            return Err(DecryptionError::KeySize { bytes: decoded.len() });
        }
        key.copy_from_slice(&decoded);
        Ok(Self(key))
    }

    /// Opens the `data` of an event, `{"nonce", "ciphertext"}`, and returns what the publisher sent.
    pub(crate) fn open(&self, data: Data<'_>) -> Result<String, DecryptionError> {
        let Sealed { nonce, mut sealed } = Sealed::parse(data)?;
        let Some((tag, text)) = sealed.split_at_mut_checked(TAG_BYTES) else {
            return Err(DecryptionError::CiphertextTooShort { bytes: sealed.len() });
        };
        let mut cipher = XSalsa20::new((&*self.0).into(), (&nonce).into());
        // The first half of the first block of the key stream is the key of the tag.
        let mut tag_key = Zeroizing::new([0; KEY_BYTES]);
        cipher.apply_keystream(tag_key.as_mut_slice());
        let expected = Poly1305::new((&*tag_key).into()).compute_unpadded(text);
        if !bool::from(expected.as_slice().ct_eq(tag)) {
            return Err(DecryptionError::WrongKey);
        }
        cipher.apply_keystream(text);
        sealed.drain(..TAG_BYTES);
        String::from_utf8(sealed).map_err(|_| DecryptionError::NotText)
    }
}

/// What is sealed, behind its tag, and with which nonce.
struct Sealed {
    nonce: [u8; NONCE_BYTES],
    sealed: Vec<u8>,
}

impl Sealed {
    fn parse(data: Data<'_>) -> Result<Self, DecryptionError> {
        let payload = data.payload().map_err(|_| DecryptionError::NotSealed)?;
        let (mut nonce, mut ciphertext) = (None, None);
        for member in Members::of(&payload, DEPTH).map_err(|_| DecryptionError::NotSealed)? {
            let (key, value) = member.map_err(|_| DecryptionError::NotSealed)?;
            match key.as_ref() {
                "nonce" => nonce = value.string().and_then(Result::ok),
                "ciphertext" => ciphertext = value.string().and_then(Result::ok),
                _ => {}
            }
        }
        let nonce = nonce.ok_or(DecryptionError::NoNonce)?;
        let ciphertext = ciphertext.ok_or(DecryptionError::NoCiphertext)?;
        let nonce = BASE64.decode(nonce.as_ref()).map_err(|_| DecryptionError::NonceNotBase64)?;
        let bytes = nonce.len();
        let nonce = nonce.try_into().map_err(|_| DecryptionError::NonceSize { bytes })?;
        let sealed = BASE64.decode(ciphertext.as_ref()).map_err(|_| DecryptionError::CiphertextNotBase64)?;
        Ok(Self { nonce, sealed })
    }
}

/// Some libraries leave out the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// The sizes of `crypto_secretbox_xsalsa20poly1305` (NaCl).
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
/// The object is flat; what nests deeper is something else.
const DEPTH: u32 = 16;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const KEY: &str = "AQgPFh0kKzI5QEdOVVxjanF4f4aNlJuiqbC3vsXM09o=";
    const NONCE: &str = "//r18Ovm4dzX0s3Iw765tK+qpaCblpGM";
    /// `{"a":"é\n"}`, sealed by `TweetNaCl`.
    const SEALED: &str = "PDrldGx5vDSx2UYeJMggnLRP6iSx1KHln7zhdg==";

    fn key() -> Key {
        Key::parse(&Secret::new(KEY)).unwrap()
    }

    fn open(nonce: &str, ciphertext: &str) -> Result<String, DecryptionError> {
        key().open(Data::new(&format!(r#"{{"nonce":"{nonce}","ciphertext":"{ciphertext}"}}"#)))
    }

    // Made by TweetNaCl 1.0.3, which pusher-js uses.
    #[test]
    fn what_another_library_sealed_is_opened() {
        let sealed = [
            ("", "rXrCFxRL3XhVOMrw3tJJow=="),
            ("a", "VPb4mrWzXih80Bl8/OWIaa4="),
            (r#"{"a":"é\n"}"#, SEALED),
            (&"x".repeat(32), "sO3ub5ps8EG87WsX7QNMY7cV837zjho0u6q7c5U7fvonQamPmmAAq1h090Ud9XWN"),
            (&"x".repeat(33), "QVbI9kvgBbR18FAIercGCrcV837zjho0u6q7c5U7fvonQamPmmAAq1h090Ud9XWN3w=="),
        ];
        for (text, ciphertext) in sealed {
            assert_eq!(open(NONCE, ciphertext).as_deref(), Ok(text));
            assert_eq!(open(NONCE, ciphertext.trim_end_matches('=')).as_deref(), Ok(text));
        }
        let data = serde_json::to_string(&format!(r#"{{"ciphertext":"{SEALED}","x":[1],"nonce":"{NONCE}"}}"#)).unwrap();
        assert_eq!(key().open(Data::new(&data)).as_deref(), Ok(r#"{"a":"é\n"}"#));
    }

    // The tag and the end of what TweetNaCl made of the same text.
    #[test]
    fn a_payload_of_64_kilobytes_is_opened() {
        let text = "0123456789abcdef".repeat(4096);
        let sealed = seal(text.as_bytes());
        assert_eq!(sealed.len(), 65_552);
        assert_eq!(BASE64.encode(&sealed[..16]), "rXk9Z3SXzfyJ9y0CYceJnA==");
        assert_eq!(BASE64.encode(&sealed[65_536..]), "u3iKn2t5IRV3xOzHasbTBw==");
        assert_eq!(open(NONCE, &BASE64.encode(&sealed)), Ok(text));
    }

    // S21
    #[test]
    fn whatever_is_wrong_is_said_and_nothing_of_it_is_shown() {
        use DecryptionError as E;
        let data = |data: &str| key().open(Data::new(data)).unwrap_err();
        let short = BASE64.encode([7; 15]);
        let cases = [
            (data(""), E::NotSealed),
            (data(r#""plain text""#), E::NotSealed),
            (data(r#"[1]"#), E::NotSealed),
            (data(r#"{"nonce":"a"#), E::NotSealed),
            (key().open(Data::part("{}")).unwrap_err(), E::NotSealed),
            (data(&format!(r#"{{"ciphertext":"{SEALED}"}}"#)), E::NoNonce),
            (data(&format!(r#"{{"ciphertext":"{SEALED}","nonce":7}}"#)), E::NoNonce),
            (data(&format!(r#"{{"nonce":"{NONCE}","ciphertext":null}}"#)), E::NoCiphertext),
            (open("no!base64", SEALED).unwrap_err(), E::NonceNotBase64),
            (open(NONCE, "no!base64").unwrap_err(), E::CiphertextNotBase64),
            (open("AAAA", SEALED).unwrap_err(), E::NonceSize { bytes: 3 }),
            (open("", SEALED).unwrap_err(), E::NonceSize { bytes: 0 }),
            (open(NONCE, "").unwrap_err(), E::CiphertextTooShort { bytes: 0 }),
            (open(NONCE, &short).unwrap_err(), E::CiphertextTooShort { bytes: 15 }),
            (open(&NONCE.replace('r', "s"), SEALED).unwrap_err(), E::WrongKey),
            (open(NONCE, &SEALED.replace('P', "Q")).unwrap_err(), E::WrongKey),
            (open(NONCE, &BASE64.encode(seal(&[0xff, 0xfe]))).unwrap_err(), E::NotText),
            (Key::parse(&Secret::new("no!base64")).unwrap_err(), E::KeyNotBase64),
            (Key::parse(&Secret::new("")).unwrap_err(), E::KeySize { bytes: 0 }),
            (Key::parse(&Secret::new(NONCE)).unwrap_err(), E::KeySize { bytes: 24 }),
        ];
        for (error, expected) in cases {
            assert_eq!(error, expected);
            let shown = format!("{error} {error:?} {:?}", key());
            for hidden in [KEY, NONCE, SEALED, "no!base64"] {
                assert!(!shown.contains(hidden), "{shown}");
            }
        }
    }

    /// Seals as the other library does.
    fn seal(text: &[u8]) -> Vec<u8> {
        seal_bytes(&key().0, text)
    }

    fn seal_bytes(key: &[u8; KEY_BYTES], text: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = BASE64.decode(NONCE).unwrap().try_into().unwrap();
        let mut cipher = XSalsa20::new(key.into(), (&nonce).into());
        let mut tag_key = [0; KEY_BYTES];
        cipher.apply_keystream(&mut tag_key);
        let mut sealed = text.to_vec();
        cipher.apply_keystream(&mut sealed);
        let mut all = Poly1305::new((&tag_key).into()).compute_unpadded(&sealed).to_vec();
        all.extend(sealed);
        all
    }

    pub(crate) fn encode(bytes: &[u8]) -> String {
        BASE64.encode(bytes)
    }

    /// The `data` of an event that is sealed with this key.
    pub(crate) fn seal_with(key: &[u8; KEY_BYTES], text: &str) -> String {
        format!(r#"{{"nonce":"{NONCE}","ciphertext":"{}"}}"#, encode(&seal_bytes(key, text.as_bytes())))
    }

    // S21: every single bit that is changed on the way is noticed
    #[test]
    fn nothing_that_was_changed_is_opened() {
        let sealed = seal(b"a short text");
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(NONCE, &BASE64.encode(&changed)), Err(DecryptionError::WrongKey), "{bit}");
        }
        for length in 0..sealed.len() {
            assert!(open(NONCE, &BASE64.encode(&sealed[..length])).is_err(), "{length}");
        }
    }
}
